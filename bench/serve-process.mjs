// One server in a process of its own: an agent, or node:http alone that sends the same bytes. Two servers in one
// process do not measure each other: node:http and the agent both lost half of their throughput beside the other.
import { once } from "node:events";
import { createServer } from "node:http";

const order = JSON.parse(process.argv[2]);
const server = order.config === undefined ? await bare(order) : await agent(order.config);
process.send({ port: server.port });
process.once("disconnect", () => server.close());

async function agent(config) {
  const { Agent } = await import(new URL("../dist/agent.js", import.meta.url));
  const { parseConfig } = await import(new URL("../dist/config/index.js", import.meta.url));
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
