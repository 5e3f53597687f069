// A load generator in a thread of its own. Closed: keep-alive connections that ask again as soon as they are answered.
// Open: requests arrive at a fixed rate, whatever became of those before, and count from when they should have left.
import { connect } from "node:net";
import { parentPort } from "node:worker_threads";

/** Pause before a connection that was refused is tried again. */
const refusedMs = 2;

/** What is sent, and what came back; see LoadOrder and LoadReport in load.ts. */
async function measure(order) {
  const load = new Load(order);
  await load.connected();
  const report = await (order.perSecond === undefined ? load.closed(order.ms) : load.open(order));
  load.end();
  return report;
}

class Load {
  answers = 0;
  failed = 0;
  stale = 0;
  mixed = 0;
  versions = new Set();
  latenciesMs = [];
  ended = false;
  /** Called when a connection has nothing to do. */
  idle = () => {};
  /** Connections that have nothing to do, with an open load. */
  free = new Set();

  constructor({ port, path, body, connections, floor }) {
    const head = (first, more) =>
      `${first} ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n${more}\r\n`;
    this.port = port;
    this.request = Buffer.from(
      body === undefined
        ? head("GET", "")
        : head("POST", `Content-Length: ${Buffer.byteLength(body)}\r\n`) + body,
    );
    this.floors = floor && new Int32Array(floor);
    this.connections = Array.from({ length: connections }, () => new Connection(this));
  }

  async connected() {
    await Promise.all(this.connections.map((connection) => connection.answered));
    this.latenciesMs.length = 0;
    this.answers = 0;
  }

  async closed(ms) {
    this.idle = (connection) => connection.send(performance.now());
    const began = performance.now();
    for (const connection of this.connections) if (connection.isOpen) this.idle(connection);
    await new Promise((resolve) => setTimeout(resolve, ms));
    return this.report(began);
  }

  async open({ ms, perSecond }) {
    const waiting = [];
    this.idle = (connection) => {
      if (waiting.length > 0) connection.send(waiting.shift());
      else this.free.add(connection);
    };
    for (const connection of this.connections) if (connection.isOpen) this.idle(connection);
    const began = performance.now();
    const arrivals = Math.floor((ms / 1000) * perSecond);
    let arrived = 0;
    await new Promise((resolve) => {
      const tick = setInterval(() => {
        const due = Math.min(arrivals, ((performance.now() - began) / 1000) * perSecond);
        for (; arrived < due; arrived++) {
          const at = began + (arrived / perSecond) * 1000;
          const [connection] = this.free;
          if (connection === undefined) waiting.push(at);
          else {
            this.free.delete(connection);
            connection.send(at);
          }
        }
        if (arrived < arrivals) return;
        clearInterval(tick);
        resolve();
      }, 1);
    });
    const report = this.report(began);
    // Whoever still waits has waited at least so long.
    const now = performance.now();
    for (const at of waiting) this.latenciesMs.push(now - at);
    return { ...report, ...this.latencies(), unanswered: waiting.length };
  }

  report(began) {
    const { answers, failed, stale, mixed, versions } = this;
    const perSecond = (answers * 1000) / (performance.now() - began);
    return {
      ...{ perSecond, ...this.latencies(), answers, failed, stale, mixed },
      versions: versions.size,
      unanswered: 0,
    };
  }

  latencies() {
    const sorted = Float64Array.from(this.latenciesMs).sort();
    const at = (q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
    return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1) ?? Number.NaN };
  }

  end() {
    this.ended = true;
    for (const connection of this.connections) connection.socket.destroy();
  }

  /** A body is one version, or several with a blank between them, which one request must not mix. */
  judge(text, body, least) {
    if (!text.startsWith("HTTP/1.1 200 ")) {
      this.failed += 1;
      return;
    }
    if (this.floors === undefined) return;
    const answered = body.split(" ").map(Number);
    this.versions.add(answered[0]);
    if (answered.some((version) => version !== answered[0])) this.mixed += 1;
    if (!answered.every((version) => version >= least)) this.stale += 1;
  }
}

/** One connection; comes back when the server closes it. */
class Connection {
  /** When the request on its way counts from; undefined when there is none. */
  sentAt = undefined;
  least = 0;
  text = "";
  isOpen = false;

  constructor(load) {
    this.load = load;
    this.answered = new Promise((resolve) => {
      this.first = resolve;
    });
    this.open();
  }

  open() {
    this.text = "";
    this.socket = connect(this.load.port, "127.0.0.1");
    this.socket.setNoDelay(true);
    // Without a first answer nothing is known to work; it does not count.
    this.socket.on("connect", () => {
      this.isOpen = true;
      if (this.first) this.send(performance.now());
      else this.load.idle(this);
    });
    this.socket.on("data", (bytes) => this.take(bytes));
    this.socket.on("error", () => {});
    this.socket.on("close", () => this.closed());
  }

  send(at) {
    const { floors, request } = this.load;
    this.least = floors ? Atomics.load(floors, 0) : 0;
    this.sentAt = at;
    this.socket.write(request);
  }

  take(bytes) {
    this.text += bytes.latin1Slice();
    const { text, load } = this;
    const headEnd = text.indexOf("\r\n\r\n") + 4;
    if (headEnd === 3) return;
    const head = text.slice(0, headEnd).toLowerCase();
    const body = bodyOf(head, text);
    if (body === undefined) return;
    load.latenciesMs.push(performance.now() - this.sentAt);
    load.answers += 1;
    load.judge(text, body, this.least);
    this.text = "";
    this.sentAt = undefined;
    if (this.first) {
      this.first();
      this.first = undefined;
    }
    if (head.includes("connection: close")) {
      this.isOpen = false;
      this.socket.end();
    } else load.idle(this);
  }

  closed() {
    const { load } = this;
    if (load.ended) return;
    this.isOpen = false;
    load.free.delete(this);
    if (this.sentAt !== undefined) {
      load.failed += 1;
      this.sentAt = undefined;
    }
    setTimeout(() => !load.ended && this.open(), refusedMs);
  }
}

const lengthLine = "content-length: ";
const chunkedLine = "transfer-encoding: chunked";
const lastChunk = "0\r\n\r\n";

/** What follows the head, without the frame of the one chunk that nginx makes of what Lua prints; undefined until it is whole. */
function bodyOf(head, text) {
  const at = head.indexOf(lengthLine);
  if (at !== -1) {
    const end = head.length + Number.parseInt(head.slice(at + lengthLine.length), 10);
    return text.length < end ? undefined : text.slice(head.length, end);
  }
  if (!head.includes(chunkedLine)) throw new Error(`an answer without length: ${head}`);
  if (!text.endsWith(lastChunk)) return undefined;
  const begin = text.indexOf("\r\n", head.length) + 2;
  return text.slice(begin, begin + Number.parseInt(text.slice(head.length), 16));
}

parentPort.on("message", (order) => {
  measure(order).then((report) => parentPort.postMessage(report));
});
