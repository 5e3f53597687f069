// One server in a process of its own. Two servers in one process do not measure each other: node:http and the agent
// both lost half of their throughput beside the other.
import { once } from "node:events";
import { createServer } from "node:http";

const dist = (file) => import(new URL(`../dist/${file}`, import.meta.url));
const kinds = { agent, bare, fengari, plane };

const order = JSON.parse(process.argv[2]);
const server = await kinds[order.kind](order);
process.send({ port: server.port });
process.once("disconnect", () => server.close());

async function agent({ config }) {
  const { Agent } = await dist("agent.js");
  const { parseConfig } = await dist("config/index.js");
  const agent = new Agent(parseConfig(config));
  await agent.start();
  return { port: Number(agent.addresses.data[0].split(":").at(-1)), close: () => agent.close() };
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
