/** `GET /api/v1/events`: server-sent events that a client can leave and come back to. */

import { type IncomingMessage, request } from "node:http";
import { describe, expect, test } from "vitest";
import { EventLog } from "../../../src/http/control/relua/event-log.ts";
import { type Site, site } from "./calls.ts";
import { outcome, plan, prefix, status } from "./fake-agent.ts";

interface Event {
  readonly id: number;
  readonly type: string;
  readonly data: unknown;
}

/** An open stream. */
class Stream {
  readonly #response: IncomingMessage;
  #text = "";

  static open(at: Site, lastEventId?: string): Promise<Stream> {
    return new Promise((resolve, reject) => {
      const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
      request({ host: "127.0.0.1", port: at.port, path: "/api/v1/events", headers, agent: false })
        .on("response", (response) => resolve(new Stream(response)))
        .on("error", reject)
        .end();
    });
  }

  constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      this.#text += text;
    });
    response.on("error", () => undefined);
  }

  get head() {
    return this.#response;
  }

  get events(): readonly Event[] {
    return this.#text
      .split("\n\n")
      .slice(0, -1)
      .flatMap((block) => {
        const [, id, type, data] = /^id: (\d+)\nevent: (\w+)\ndata: (.*)$/.exec(block) ?? [];
        return id === undefined
          ? []
          : [{ id: Number(id), type: type ?? "", data: JSON.parse(data ?? "") as unknown }];
      });
  }

  async until(count: number): Promise<readonly Event[]> {
    while (this.events.length < count)
      await new Promise<void>((resolve) => this.#response.once("data", () => resolve()));
    return this.events;
  }

  leave(): void {
    this.#response.destroy();
  }

  get ended(): Promise<void> {
    return new Promise((resolve) => this.#response.once("close", () => resolve()));
  }
}

const noise = (at: Site, text: string) => at.agent.emit("log", "info", text, 1);

describe("the stream", () => {
  test("tells what happens, each kind in its shape", async () => {
    const at = await site();
    const stream = await Stream.open(at);
    expect(stream.head.headers["content-type"]).toBe("text/event-stream");
    at.agent.emit("plan", plan, [{ path: `${prefix}/apps/c.lua`, kind: "added", hash: "00" }]);
    at.agent.emit("outcome", outcome());
    at.agent.emit("outcome", outcome({ outcome: "rejected" }));
    at.agent.emit("outcome", outcome({ outcome: "unchanged" }));
    at.agent.emit("vm", status.vms[0], "killed");
    noise(at, "line\none");
    const events = await stream.until(6);
    expect(events.map(({ id, type }) => `${id} ${type}`)).toEqual([
      "1 change",
      "2 plan",
      "3 committed",
      "4 rejected",
      "5 vm",
      "6 log",
    ]);
    expect(events[0]?.data).toEqual({ changes: [{ file: "apps/c.lua", kind: "added", hash: "00" }] });
    expect(events[1]?.data).toMatchObject({ roots: ["c"], evicted: [{ name: "a", because: ["c", "a"] }] });
    expect(events[2]?.data).toMatchObject({
      id: 12,
      outcome: "committed",
      startedAt: "2026-01-02T03:04:05.678Z",
    });
    expect(events[4]?.data).toMatchObject({ id: 1, state: "ready", why: "killed" });
    expect(events[5]?.data).toEqual({ level: "info", message: "line\none", vm: 1 });
  });

  test("a client that was away gets what it missed, and nothing twice", async () => {
    const at = await site();
    noise(at, "one");
    const first = await Stream.open(at);
    noise(at, "two");
    expect((await first.until(1)).map(({ id }) => id)).toEqual([2]);
    first.leave();
    noise(at, "three");
    noise(at, "four");
    const second = await Stream.open(at, "2");
    noise(at, "five");
    expect((await second.until(3)).map(({ id }) => id)).toEqual([3, 4, 5]);
  });

  test("an id from before a restart gets all there is; one that is no number, nothing", async () => {
    const at = await site();
    noise(at, "one");
    expect(await (await Stream.open(at, "500")).until(1)).toHaveLength(1);
    const stream = await Stream.open(at, "x");
    noise(at, "two");
    expect((await stream.until(1)).map(({ id }) => id)).toEqual([2]);
  });

  test("ends when the control plane closes", async () => {
    const at = await site();
    const stream = await Stream.open(at);
    const { ended } = stream;
    await at.plane.close(60_000);
    await ended;
  });

  test("there is an end to streams", async () => {
    const at = await site();
    const streams = await Promise.all(Array.from({ length: 64 }, () => Stream.open(at)));
    expect((await at.call("GET", "/api/v1/events")).json).toMatchObject({ status: 503, code: "too-many" });
    for (const stream of streams) stream.leave();
  });
});

describe("the log of events", () => {
  test("keeps the last ones only", () => {
    const log = new EventLog(3);
    for (let n = 1; n <= 5; n++) log.add("log", () => n);
    expect(log.after(0).map(({ id }) => id)).toEqual([3, 4, 5]);
    expect(log.after(4).map(({ id }) => id)).toEqual([5]);
    expect(log.after(5)).toEqual([]);
  });

  test("makes the JSON of an event when it is read first, and once", () => {
    const log = new EventLog(3);
    let made = 0;
    log.add("log", () => ({ made: ++made }));
    expect(made).toBe(0);
    const read = [...log.after(0), ...log.after(0)].map(({ data }) => data);
    expect(read).toEqual(['{"made":1}', '{"made":1}']);
  });
});
