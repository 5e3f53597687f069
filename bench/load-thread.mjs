// A load generator in a thread of its own: keep-alive connections that ask again as soon as they are answered.
import { connect } from "node:net";
import { parentPort } from "node:worker_threads";

/** What is sent, and what came back; see LoadOrder and LoadReport in load.ts. */
async function measure({ port, path, body, connections, ms, floor }) {
  const head = (first, more) =>
    `${first} ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n${more}\r\n`;
  const request = Buffer.from(
    body === undefined
      ? head("GET", "")
      : head("POST", `Content-Length: ${Buffer.byteLength(body)}\r\n`) + body,
  );
  const report = { answers: 0, failed: 0, stale: 0, versions: new Set(), latenciesMs: [] };
  const floors = floor && new Int32Array(floor);
  const sockets = Array.from({ length: connections }, () => ask(port, request, floors, report));
  await Promise.all(sockets.map(({ answered }) => answered));
  const before = report.answers;
  report.latenciesMs.length = 0;
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const perSecond = ((report.answers - before) * 1000) / (performance.now() - startedAt);
  for (const { socket } of sockets) socket.destroy();
  const sorted = Float64Array.from(report.latenciesMs).sort();
  const at = (q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
  const { answers, failed, stale, versions } = report;
  return { perSecond, p50Ms: at(0.5), p99Ms: at(0.99), answers, failed, stale, versions: versions.size };
}

/** One connection. A body, read as a number, must not be below what `floors` held when its request was sent. */
function ask(port, request, floors, report) {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  let sentAt = 0;
  let least = 0;
  let text = "";
  const send = () => {
    least = floors ? Atomics.load(floors, 0) : 0;
    sentAt = performance.now();
    socket.write(request);
  };
  const answered = new Promise((resolve) => {
    socket.on("error", () => {
      report.failed += 1;
      resolve();
    });
    socket.on("connect", send);
    socket.on("data", (bytes) => {
      text += bytes.latin1Slice();
      const body = text.indexOf("\r\n\r\n") + 4;
      if (body === 3 || text.length < body + lengthOf(text, body)) return;
      report.latenciesMs.push(performance.now() - sentAt);
      report.answers += 1;
      if (!text.startsWith("HTTP/1.1 200 ")) report.failed += 1;
      else if (floors) {
        const version = Number(text.slice(body));
        report.versions.add(version);
        if (!(version >= least)) report.stale += 1;
      }
      text = "";
      resolve();
      send();
    });
  });
  return { socket, answered };
}

const lengthLine = "content-length: ";

/** The body's length, by the head that ends before `end`. */
function lengthOf(text, end) {
  const head = text.slice(0, end).toLowerCase();
  const at = head.indexOf(lengthLine);
  if (at === -1) throw new Error(`an answer without length: ${head}`);
  return Number.parseInt(head.slice(at + lengthLine.length), 10);
}

parentPort.on("message", (order) => {
  measure(order).then((report) => parentPort.postMessage(report));
});
