import { afterEach, describe, expect } from "vitest";
import { itWithDebian } from "../debian.ts";
import { Nginx, nginxParts } from "./nginx.ts";

let nginx: Nginx | undefined;
afterEach(async () => {
  await nginx?.end();
  nginx = undefined;
});

describe("nginx in tests", () => {
  itWithDebian("answers by every worker, also after one was killed and after a HUP", nginxParts, async () => {
    nginx = await Nginx.start({
      files: { "a.lua": "return { run = function() ngx.print(ngx.worker.count()) end }" },
      server: "location / { content_by_lua_block { require('a').run() } }",
    });
    expect(await nginx.bodies("/")).toEqual(["4"]);
    const before = nginx.workers;
    await nginx.killWorker(before[0] as number);
    expect(nginx.workers.filter((pid) => before.includes(pid))).toEqual(before.slice(1));
    await nginx.reload();
    expect(nginx.workers.filter((pid) => before.includes(pid))).toEqual([]);
    expect(await nginx.bodies("/")).toEqual(["4"]);
    await nginx.untilLog(/reconfiguring/);
  });
  itWithDebian("says what nginx said when it does not start", nginxParts, async () => {
    await expect(Nginx.start({ server: "nonsense;" })).rejects.toThrow(/unknown directive "nonsense"/);
  });
});
