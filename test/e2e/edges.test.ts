/** Who requires what, told by VMs on threads: handlers from files, timers, coroutines of a request, init_by. */

import { expect, it } from "vitest";
import { startSite } from "../support/agent.ts";
import { ask } from "../support/http.ts";

it("a handler's file, a timer, a coroutine and init_by are requirers like modules", async () => {
  const { agent, tree, url } = await startSite({
    files: {
      "handlers/hello.lua": "ngx.print(require('hello').text, ' ', require('jobs').last())",
      "hello.lua": "return { text = 'hello' }",
      "jobs.lua": `local M, seen = {}, "nothing"
function M.start() ngx.timer.at(0, function() seen = require("job").name end) end
function M.last() return seen end
return M`,
      "job.lua": "return { name = 'job 1' }",
      "lazy.lua": `local kept
return { f = function()
  kept = kept or coroutine.wrap(function() coroutine.yield() return require("dep").v end)
  kept() return kept()
end, g = function() return require("boot") end }`,
      "dep.lua": "return { v = 1 }",
      "boot.lua": "return 'booted'",
    },
    locations: { "/": { content_by_file: "handlers/hello.lua" }, "/start": "require('jobs').start()" },
    config: { threads: 1, initBy: "require 'boot'" },
  });
  await ask(`${url}/start`);
  const untilSeen = async (text: string) => {
    for (;;) if ((await ask(url)).body === text) return;
  };
  await untilSeen("hello job 1");
  expect(await agent.call("lazy", "f")).toBe(1);

  const handler = `=file(${tree.path("handlers/hello.lua")})`;
  const edges = [...agent.graph.edges()].map(
    ({ from, to, kind, at }) => `${from} ${kind} ${to} ${at.replace(`${tree.root}/`, "")}`,
  );
  expect(edges).toEqual(
    expect.arrayContaining([
      `${handler} call hello handlers/hello.lua:1`,
      `${handler} call jobs handlers/hello.lua:1`,
      "jobs call job jobs.lua:2",
      "lazy call dep lazy.lua:3",
      "=init_by call boot init_by:1",
    ]),
  );
  const evictedBy = async (name: string) => {
    tree.write({
      [name]: `${name === "job.lua" ? "return { name = 'job 2' }" : "return { v = 2, text = 'bye' }"}`,
    });
    return (await agent.reload()).evicted.map((member) => member.name).sort();
  };
  expect(await evictedBy("job.lua")).toEqual(["job", "jobs"]);
  expect(await evictedBy("dep.lua")).toEqual(["dep", "lazy"]);
  expect(await evictedBy("hello.lua")).toEqual(["hello"]);
  await ask(`${url}/start`);
  await untilSeen("bye job 2");
});
