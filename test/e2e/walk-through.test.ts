/** The walk-through of the README, by hand and on save, with the repository's own config and applications. */

import { describe, expect, it } from "vitest";
import { relua } from "../cli/relua.ts";
import { ask, askEveryVm, everyBody, putJson } from "../support/http.ts";
import { type Served, serveRepository } from "../support/served.ts";

const luatest = (served: Served) => everyBody(`${served.url}/luatest`, served.vms);
const same = (served: Served, body: string) => Array.from({ length: served.vms }, () => body);

/** The document of `GET http_lua` with another `content_by` of `/luatest`. */
async function documentWith(served: Served, code: string): Promise<unknown> {
  const { body } = await ask(`${served.control}/api/v1/config/http_lua`);
  const was = `"content_by":"require('mylib').run()"`;
  expect(body).toContain(was);
  return JSON.parse(body.replace(was, () => `"content_by":${JSON.stringify(code)}`));
}

describe("the walk-through", () => {
  it("by hand: PUT http_lua changes the handler, PUT http_lua_package_clean brings the module to every VM", async () => {
    const served = await serveRepository("watch: false,");
    const put = (module: string, value: unknown) =>
      putJson(`${served.control}/api/v1/config/${module}`, value);
    expect(await luatest(served)).toEqual(same(served, "hello from mylib, version 1\n"));

    const handler = "ngx.print('by PUT: ') require('mylib').run()";
    expect(await put("http_lua", await documentWith(served, handler))).toEqual({ code: 0, msg: "success." });
    expect(await luatest(served)).toEqual(same(served, "by PUT: hello from mylib, version 1\n"));
    expect((await ask(`${served.control}/api/v1/config/http_lua`)).body).toContain("by PUT: ");

    served.edit("apps/mylib.lua", "version 1", "version 2");
    expect(await luatest(served)).toEqual(same(served, "by PUT: hello from mylib, version 1\n"));
    expect((await ask(`${served.control}/api/v1/status`)).body).toContain('"generation":1');

    expect(await put("http_lua_package_clean", ["mylib"])).toMatchObject({
      code: 0,
      msg: "success.",
      generation: 2,
      evicted: [{ name: "mylib", because: ["mylib"] }],
    });
    const answers = await askEveryVm(`${served.url}/luatest`, served.vms);
    for (const { body, generation } of answers.values())
      expect([body, generation]).toEqual(["by PUT: hello from mylib, version 2\n", 2]);

    served.edit("apps/mylib.lua", "version 2", "version 3");
    expect(await relua(["clean", "mylib", "--url", served.control])).toMatchObject({ code: 0 });
    expect(await luatest(served)).toEqual(same(served, "by PUT: hello from mylib, version 3\n"));
    await served.stop();
  });

  it("on save: the next request of every VM runs the new code, and one line says so", async () => {
    const served = await serveRepository();
    expect(await luatest(served)).toEqual(same(served, "hello from mylib, version 1\n"));
    served.edit("apps/mylib.lua", "version 1", "version 2");
    const [line] = await served.command.untilOut(/^.*generation 2\b.*$/m);
    expect(await luatest(served)).toEqual(same(served, "hello from mylib, version 2\n"));
    expect(line).toMatch(/apps\/mylib\.lua changed .* 1 module evicted \(mylib\), 2 VMs in/);
    await served.stop();
  });

  it("on save of code that does not compile: the old code goes on, the reason is told, the repair is taken", async () => {
    const served = await serveRepository();
    expect(await luatest(served)).toEqual(same(served, "hello from mylib, version 1\n"));
    served.edit("apps/mylib.lua", 'version 1")', 'version 1"');
    await served.command.untilErr(/rejected.*still running generation 1\n +apps\/mylib\.lua:13: .*expected/);
    expect(await luatest(served)).toEqual(same(served, "hello from mylib, version 1\n"));
    const status = JSON.parse((await ask(`${served.control}/api/v1/status`)).body) as {
      readonly rejected: unknown;
    };
    expect(status.rejected).toMatchObject({
      outcome: "rejected",
      generation: 1,
      errors: [{ file: "apps/mylib.lua" }],
    });
    const clean = `${served.control}/api/v1/config/http_lua_package_clean`;
    expect(await putJson(clean, ["mylib"])).toMatchObject({
      code: 4,
      msg: expect.stringMatching(/^apps\/mylib\.lua:13: .*expected/),
    });
    served.edit("apps/mylib.lua", 'version 1"', 'version 2")');
    await served.command.untilOut(/generation 2\b/);
    expect(await luatest(served)).toEqual(same(served, "hello from mylib, version 2\n"));
    await served.stop();
  });
});
