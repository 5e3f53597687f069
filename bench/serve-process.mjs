// One server in a process of its own. Two servers in one process do not measure each other: node:http and the agent
// both lost half of their throughput beside the other.
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const dist = (file) => import(new URL(`../dist/${file}`, import.meta.url));
const kinds = { agent, bare, fengari, plane, pool };

const order = JSON.parse(process.argv[2]);
const server = await kinds[order.kind](order);
const questions = { cpu, calls };
process.on("message", async (question) => process.send({ answer: await questions[question.ask](question) }));
process.send({ port: server.port, control: server.control });
process.once("disconnect", () => server.close());

function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function calls({ module, fn, inFlight, ms }) {
  const began = performance.now();
  let count = 0;
  const one = async () => {
    for (; performance.now() - began < ms; count++) await server.call(module, fn);
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return (count * 1000) / (performance.now() - began);
}

async function agent({ config }) {
  const { Agent } = await dist("agent.js");
  const { parseConfig } = await dist("config/index.js");
  const agent = new Agent(parseConfig(config));
  await agent.start();
  return {
    port: Number(agent.addresses.data[0].split(":").at(-1)),
    control: agent.addresses.control,
    call: (module, fn) => agent.call(module, fn),
    close: () => agent.close(),
  };
}

// The agent's VMs and its data plane on a manifest that nobody can change: no watcher, no graph, no store, no canary.
async function pool({ config: input }) {
  const { parseConfig } = await dist("config/index.js");
  const { vmSettings } = await dist("vm-settings.js");
  const { createPool } = await dist("vm/pool.js");
  const { createRoutes } = await dist("http/routing.js");
  const { openDataPlane } = await dist("http/data-plane.js");
  const config = parseConfig(input);
  const routes = createRoutes(config.servers);
  const manifest = await readTree(config.prefix);
  const pool = createPool({
    threads: config.threads,
    concurrency: config.concurrency,
    limits: {
      queue: config.limits.queue,
      heapMb: config.limits.heapMb,
      requestMs: config.limits.requestMs,
    },
    boot: () => ({
      settings: vmSettings(config),
      generation: 1,
      manifest,
      locations: routes.locations,
    }),
  });
  await pool.start();
  const plane = await openDataPlane({
    dispatcher: pool,
    routes,
    limits: { bodyBytes: config.limits.bodyBytes },
    exposeGeneration: config.exposeGeneration,
    generation: () => 1,
  });
  return {
    port: plane.addresses[0].port,
    call: (module, fn) =>
      new Promise((resolve, reject) => {
        const failed = ({ message }) => reject(new Error(message));
        const unavailable = (reason) => reject(new Error(reason));
        pool.dispatch(
          { type: "call", module, fn, args: [] },
          { result: (values) => resolve(values[0] ?? null), failed, unavailable },
        );
      }),
    close: async () => {
      await plane.close(0);
      await pool.drain(0);
      await pool.close();
    },
  };
}

/** Every file below `prefix`, in one arena. */
async function readTree(prefix) {
  const { default: xxhash } = await import("xxhash-wasm");
  const { h64Raw } = await xxhash();
  const entries = readdirSync(prefix, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const contents = paths.map((path) => readFileSync(path));
  const arena = new SharedArrayBuffer(contents.reduce((bytes, { length }) => bytes + length, 0));
  let offset = 0;
  const present = paths.map((path, index) => {
    const { length } = contents[index];
    new Uint8Array(arena).set(contents[index], offset);
    offset += length;
    const hash = h64Raw(contents[index]).toString(16).padStart(16, "0");
    return { path, file: path, hash, content: { arena: 0, offset: offset - length, length } };
  });
  // As the agent's VMs get it: what lies on a VM's heap makes each of its collections longer.
  const { packFiles } = await dist("core/packed-manifest.js");
  return { packed: packFiles(present), present: [], absent: [], arenas: new Map([[0, arena]]) };
}

async function bare({ headers, body }) {
  const lines = [...headers, "Content-Length", `${Buffer.byteLength(body)}`];
  const http = createServer((_req, res) => {
    res.writeHead(200, "OK", lines);
    res.end(body, "latin1");
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const close = () => {
    http.closeAllConnections();
    http.close();
  };
  return { port: http.address().port, close };
}

async function fengari({ packagePath, module, fn }) {
  const { lauxlib, lua, lualib, to_luastring } = (await dist("fengari/fengari.js")).default;
  const L = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(L);
  const prelude = `package.path = ${JSON.stringify(packagePath)}; return require(${JSON.stringify(module)}).${fn}`;
  if (lauxlib.luaL_dostring(L, to_luastring(prelude)) !== lua.LUA_OK)
    throw new Error(lua.lua_tojsstring(L, -1));
  const call = (body) => {
    lua.lua_pushvalue(L, -1);
    lua.lua_pushstring(L, body);
    if (lua.lua_pcall(L, 1, 1, 0) !== lua.LUA_OK) throw new Error(lua.lua_tojsstring(L, -1));
    const answer = lua.lua_tostring(L, -1);
    lua.lua_pop(L, 1);
    return answer;
  };
  const http = createServer((req, res) => {
    const pieces = [];
    req.on("data", (piece) => pieces.push(piece));
    req.on("end", () => {
      const answer = call(Buffer.concat(pieces));
      res.writeHead(200, "OK", ["Content-Type", "text/html", "Content-Length", `${answer.length}`]);
      res.end(answer);
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const close = () => {
    http.closeAllConnections();
    http.close();
  };
  return { port: http.address().port, close };
}

async function plane({ headers, body }) {
  const { openDataPlane } = await dist("http/data-plane.js");
  const { createRoutes } = await dist("http/routing.js");
  const head = { status: 200, headers, errorPage: false, generation: 1 };
  let sinks = [];
  // Answers each request of one turn at its end, as a VM's port would.
  const answer = () => {
    const asked = sinks;
    sinks = [];
    for (const sink of asked) sink.response(head, body, 1);
  };
  const dispatcher = {
    dispatch(_work, sink) {
      if (sinks.push(sink) === 1) setImmediate(answer);
      return { abort() {}, continueAt() {} };
    },
  };
  const plane = await openDataPlane({
    dispatcher,
    routes: createRoutes([
      {
        listens: ["127.0.0.1:0"],
        serverNames: [""],
        locations: [{ location: "/", lua: { content_by: "" } }],
      },
    ]),
    limits: { bodyBytes: 1024 * 1024 },
    exposeGeneration: true,
    generation: () => 1,
  });
  return { port: plane.addresses[0].port, close: () => plane.close(0) };
}
