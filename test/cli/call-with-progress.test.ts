/** What a terminal shows while the agent reads many files before it can answer. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { callWithProgress } from "../../src/cli/call-with-progress.ts";
import { type OutputStream, Terminal } from "../../src/observe/terminal.ts";

const clear = "\r\u001b[K";
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** An agent whose status says each of these in turn, and that answers a call when the last of them was said. */
async function reading(said: readonly unknown[]) {
  let told = 0;
  const allTold = deferred();
  const server = createServer((request, response) => {
    const answer = (body: unknown) =>
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.url !== "/api/v1/status") {
      request.resume();
      void allTold.promise.then(() => answer({ outcome: "done" }));
      return;
    }
    const watch = { files: 1, folders: 1, mode: "events", reading: said[Math.min(told, said.length - 1)] };
    answer({ generation: 1, pending: true, held: false, vms: [], watch });
    told += 1;
    // What was said last is read before it is over.
    if (told > said.length) allTold.resolve();
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return { address: { url, token: undefined, origin: "--url" }, told: () => told, finish: allTold.resolve };
}

function deferred() {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function terminalWith({ isTTY }: { readonly isTTY: boolean }) {
  const written: string[] = [];
  const stream: OutputStream = { isTTY, columns: 80, write: (text) => written.push(text) };
  return { terminal: new Terminal({ out: stream, err: stream, env: { NO_COLOR: "1" } }), written };
}

const call = { method: "POST", path: "api/v1/reloads", body: {}, timeoutMs: 20_000 } as const;

it("is one line, rewritten as the agent goes on and gone when it answers", async () => {
  const { address } = await reading([
    null,
    { filesDone: 1_000, filesTotal: 100_000 },
    { filesDone: 40_000, filesTotal: 100_000 },
  ]);
  const { terminal, written } = terminalWith({ isTTY: true });
  expect(await callWithProgress(address, call, terminal)).toMatchObject({ body: { outcome: "done" } });
  expect(written).toEqual([
    `${clear}the agent is reading 1,000 of 100,000 files`,
    `${clear}the agent is reading 40,000 of 100,000 files`,
    clear,
  ]);
});

it("is nothing where the answer comes soon, nor in a pipe, which asks for no status either", async () => {
  const { address, told, finish } = await reading([{ filesDone: 1, filesTotal: 2 }]);
  finish();
  for (const isTTY of [true, false]) {
    const { terminal, written } = terminalWith({ isTTY });
    await callWithProgress(address, call, terminal);
    expect(written).toEqual([]);
  }
  expect(told()).toBe(0);
});

it("does not stand in the way of the answer when the status is none", async () => {
  const { address } = await reading(["nonsense"]);
  const { terminal, written } = terminalWith({ isTTY: true });
  const answer = callWithProgress(address, { ...call, timeoutMs: 2_000 }, terminal);
  await expect(answer).rejects.toMatchObject({ code: "request-timeout" });
  expect(written).toEqual([]);
});
