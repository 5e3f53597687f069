// A start in a fresh process: of an agent, or of what a walk and a hash of the same tree take. Tells over IPC.
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

const order = JSON.parse(process.argv[2]);
const kinds = {
  agent: startAgent,
  fengari: bareFengari,
  nothing: emptyThreads,
  threads: fengariThreads,
  walk: walkAndHash,
};
process.send(await kinds[order.kind](order));

async function startAgent({ prefix, load, threads, collected }) {
  const { Agent } = await import(new URL("../dist/agent.js", import.meta.url));
  const { parseConfig } = await import(new URL("../dist/config/index.js", import.meta.url));
  const { collectedHeaps, gcThread } = await import(new URL("./heaps.mjs", import.meta.url));
  const config = parseConfig({
    luaPackagePath: "$prefix/apps/?.lua",
    prefix,
    threads,
    control: { listen: "127.0.0.1:0" },
  });
  const agent = new Agent(config, collected ? { vmEntry: gcThread } : {});
  const began = performance.now();
  await agent.start();
  const readyMs = performance.now() - began;
  const sinceProcessMs = performance.now();
  const { user, system } = process.cpuUsage();
  const { files } = agent.status().watch;
  let memory;
  if (load !== undefined) {
    // Twice as many calls as VMs, so that each VM loads each module.
    for (const name of load)
      await Promise.all(Array.from({ length: threads * 2 }, () => agent.call(name, "version")));
    const heaps = collected ? await collectedHeaps(threads + 1) : [];
    memory = { rss: process.memoryUsage().rss, heaps: [...heaps], arenaBytes: agent.arenaBytes };
  }
  await agent.close();
  return { readyMs, sinceProcessMs, cpuMs: (user + system) / 1000, files, memory };
}

/** As many threads as an agent has, with nothing in them: VMs, canary, source. */
async function emptyThreads({ threads }) {
  const began = performance.now();
  const workers = Array.from(
    { length: threads + 2 },
    () => new Worker("require('node:worker_threads').parentPort.postMessage(0)", { eval: true }),
  );
  await Promise.all(workers.map((worker) => once(worker, "message")));
  return { readyMs: performance.now() - began, sinceProcessMs: performance.now(), files: 0 };
}

/** Memory of a process with bare Fengari states, each in a thread. */
async function fengariThreads({ threads }) {
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL("./fengari-thread.mjs", import.meta.url)),
  );
  await Promise.all(workers.map((worker) => once(worker, "message")));
  const { rss } = process.memoryUsage();
  await Promise.all(workers.map((worker) => worker.terminate()));
  return { rss };
}

/** The same modules, loaded by Fengari alone. */
async function bareFengari({ files }) {
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  const { default: fengari } = await import(new URL("../dist/fengari/fengari.js", import.meta.url));
  const { lauxlib, lua, lualib } = fengari;
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc");
  const held = () => {
    gc();
    gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const L = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(L);
  const before = held();
  for (const path of files) {
    const source = new Uint8Array(readFileSync(path));
    if (lauxlib.luaL_loadbuffer(L, source, source.length, Buffer.from(`@${path}`)) !== lua.LUA_OK)
      throw new Error(`${path} does not compile`);
    lua.lua_call(L, 0, 1);
    lauxlib.luaL_ref(L, lua.LUA_REGISTRYINDEX);
  }
  return { bytes: held() - before };
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
