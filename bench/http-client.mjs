// A load generator in a thread of its own: keep-alive connections that ask again as soon as they are answered.
import { connect } from "node:net";
import { parentPort } from "node:worker_threads";

const request = Buffer.from(
  "GET /hello?name=value HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n",
);

/** Answers per second from `port`, over `connections` connections for `ms` milliseconds. */
async function measure({ port, connections, ms }) {
  let answers = 0;
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port, () => answers++)));
  const startedAt = performance.now();
  const before = answers;
  await new Promise((resolve) => setTimeout(resolve, ms));
  const perSecond = ((answers - before) * 1000) / (performance.now() - startedAt);
  for (const socket of sockets) socket.destroy();
  return perSecond;
}

/** Answers all have the length of the first one, so that bytes need only be counted. */
function open(port, answered) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    let length = 0;
    let received = 0;
    socket.on("error", reject);
    socket.on("data", (bytes) => {
      if (length === 0) {
        const text = bytes.toString("latin1");
        if (!text.startsWith("HTTP/1.1 200 ")) throw new Error(`unexpected answer: ${text}`);
        length = bytes.length;
        resolve(socket);
      }
      received += bytes.length;
      while (received >= length) {
        received -= length;
        answered();
        socket.write(request);
      }
    });
  });
}

parentPort.on("message", (task) => {
  measure(task).then((perSecond) => parentPort.postMessage(perSecond));
});
