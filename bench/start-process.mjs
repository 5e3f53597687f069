// A start in a fresh process: of an agent, or of what a walk and a hash of the same tree take. Tells over IPC.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const order = JSON.parse(process.argv[2]);
process.send(await (order.kind === "agent" ? startAgent(order) : walkAndHash(order)));

async function startAgent({ prefix, load, threads }) {
  const { Agent } = await import(new URL("../dist/agent.js", import.meta.url));
  const { parseConfig } = await import(new URL("../dist/config/index.js", import.meta.url));
  const { collectedHeaps, gcThread } = await import(new URL("./heaps.mjs", import.meta.url));
  const config = parseConfig({
    luaPackagePath: "$prefix/apps/?.lua",
    prefix,
    threads,
    control: { listen: "127.0.0.1:0" },
  });
  const agent = new Agent(config, load === undefined ? {} : { vmEntry: gcThread });
  const began = performance.now();
  await agent.start();
  const readyMs = performance.now() - began;
  const sinceProcessMs = performance.now();
  const { files } = agent.status().watch;
  let memory;
  if (load !== undefined) {
    // Twice as many calls as VMs, so that each VM loads each module.
    for (const name of load)
      await Promise.all(Array.from({ length: threads * 2 }, () => agent.call(name, "version")));
    const heaps = await collectedHeaps(threads + 1);
    memory = { rss: process.memoryUsage().rss, heaps: [...heaps], arenaBytes: agent.arenaBytes };
  }
  await agent.close();
  return { readyMs, sinceProcessMs, files, memory };
}

/** One thread, synchronous: the fastest way that facts.md has for a tree of this size. */
async function walkAndHash({ prefix }) {
  const { default: xxhash } = await import("xxhash-wasm");
  const { h64Raw } = await xxhash();
  const began = performance.now();
  let files = 0;
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else {
        h64Raw(readFileSync(path));
        files++;
      }
    }
  };
  walk(join(prefix, "apps"));
  return { readyMs: performance.now() - began, sinceProcessMs: performance.now(), files };
}
