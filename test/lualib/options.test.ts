import { afterEach, describe, expect } from "vitest";
import { itWithDebian } from "../debian.ts";
import { type Nginx, nginxParts } from "../support/nginx.ts";
import { AgentStandIn, startWithLibrary } from "./agent-stand-in.ts";

let nginx: Nginx;
afterEach(() => nginx?.end());

describe("options of init_worker", () => {
  for (const [options, message] of [
    ["every = 0,", "every must be 0.01 to 60 seconds"],
    ["entries = 'x',", "entries must be 1 to 100000"],
    ["token = '',", "token must be a text, or nil"],
    ["evry = 1,", "there is no option evry"],
  ] as const)
    itWithDebian(
      `that are wrong leave nginx as it is without the library: ${message}`,
      nginxParts,
      async () => {
        nginx = await startWithLibrary({
          workers: 1,
          options,
          server: "location = /x { content_by_lua_block { require('resty.relua').sync() ngx.print('x') } }",
        });
        expect(await nginx.bodies("/x")).toEqual(["x"]);
        const { status, body } = await new AgentStandIn(nginx).send("GET", undefined);
        expect([status, body.message]).toEqual([503, message]);
      },
    );

  itWithDebian("say that code cache is needed where it is off", nginxParts, async () => {
    nginx = await startWithLibrary({ workers: 1, http: "lua_code_cache off;" });
    const { status, body } = await new AgentStandIn(nginx).send("GET", undefined);
    expect([status, body.message]).toEqual([503, expect.stringContaining("needs lua_code_cache on")]);
  });
});
