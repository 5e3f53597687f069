/** A request keeps the generation it began on, also for what it requires after a commit; the next one has the new. */

import { expect, it } from "vitest";
import { closeSite, startSite } from "../support/agent.ts";
import { type Answer, ask } from "../support/http.ts";

// A request on /wait says that it has begun, and goes on when another has opened the gate.
const files = {
  "gate.lua": "return { began = false, open = false }",
  "mod.lua": "return { v = 'old', lazy = function() return require 'lazy' end }",
  "lazy.lua": "return { v = 'old lazy' }",
};
const content = `local mod = require "mod"
ngx.print(mod.v, ", ", require("mod").v, ", ", require("lazy").v, ", ", mod.lazy().v, ", ", package.loaded.mod.v)`;
const locations = {
  "/": content,
  "/wait": `local gate = require "gate"
    gate.began = true
    local first = require("mod").v
    while not gate.open do ngx.sleep(0.001) end
    ${content}
    ngx.print(", ", first)`,
  "/sleep": `local gate = require "gate"
    gate.began = true
    ngx.sleep(0.2)
    ${content}`,
  "/began": `ngx.print(tostring(require("gate").began))`,
  "/open": `require("gate").open = true`,
};

const said = ({ body, generation, vm }: Answer) => [body, generation, vm];
const all = (version: string, ...more: string[]) =>
  [version, version, `${version} lazy`, `${version} lazy`, version, ...more].join(", ");

/** Resolves when a request of the site has passed its beginning. */
async function untilBegan(url: string): Promise<void> {
  while ((await ask(`${url}/began`)).body !== "true");
}

it("requires lazily, after the commit, from its own generation; the next request in the same VM from the new one", async () => {
  const site = await startSite({ files, locations, config: { threads: 1 } });
  const { agent, tree, url } = site;
  const waiting = ask(`${url}/wait`);
  await untilBegan(url);

  tree.write({
    "mod.lua": files["mod.lua"].replace("'old'", "'new'"),
    "lazy.lua": "return { v = 'new lazy' }",
  });
  expect(await agent.reload()).toMatchObject({ outcome: "committed", generation: 2 });
  expect(said(await ask(url))).toEqual([all("new"), 2, 1]);
  await ask(`${url}/open`);
  expect(said(await waiting)).toEqual([all("old", "old"), 1, 1]);
  expect(said(await ask(url))).toEqual([all("new"), 2, 1]);
});

it("the same with a request that sleeps 200 ms, on several generations at once", async () => {
  const { agent, tree, url } = await startSite({ files, locations, config: { threads: 1 } });
  const sleeping: Promise<Answer>[] = [];
  const versions = ["old", "v2", "v3", "v4"];
  for (const [index, version] of versions.entries()) {
    if (index > 0) {
      tree.write({
        "mod.lua": files["mod.lua"].replace("'old'", `'${version}'`),
        "lazy.lua": `return { v = '${version} lazy' }`,
        "gate.lua": `return { began = false, open = false } -- ${version}`,
      });
      expect(await agent.reload()).toMatchObject({ outcome: "committed", generation: index + 1 });
    }
    sleeping.push(ask(`${url}/sleep`));
    await untilBegan(url);
  }
  expect((await Promise.all(sleeping)).map(said)).toEqual(
    versions.map((version, index) => [all(version), index + 1, 1]),
  );
});

it("finishes on its generation though the agent is stopped meanwhile", async () => {
  const site = await startSite({ files, locations, config: { threads: 1 } });
  const sleeping = ask(`${site.url}/sleep`);
  await untilBegan(site.url);
  site.tree.write({ "mod.lua": files["mod.lua"].replace("'old'", "'new'") });
  await site.agent.reload();
  await closeSite(site);
  expect(said(await sleeping)).toEqual([all("old"), 1, 1]);
});
