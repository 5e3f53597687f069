/** A client whose request is refused gets to see why, also when it sends more than anybody reads and then hangs up. */

import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { discard, readBody } from "../../../src/http/control/body.ts";
import { ask } from "../../support/http.ts";

const server = createServer((request, response) => {
  const read = request.url === "/discard" ? discard(request) : readBody(request, 1_000);
  void read.then((body) => response.end(typeof body === "string" ? body : `${body?.length ?? "discarded"}`));
});
let port: number;
beforeEach(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => server.close());

it.each([
  ["/", 1_000, "1000"],
  ["/", 1_001, "too-large"],
  ["/", 8 * 1024 ** 2, "too-large"],
  ["/discard", 0, "discarded"],
  ["/discard", 8 * 1024 ** 2, "discarded"],
])("%s with %i bytes is answered %s, declared or chunked", async (path, bytes, said) => {
  for (const headers of [{ connection: "close" }, { connection: "close", "transfer-encoding": "chunked" }]) {
    const question = { method: "PUT", body: "x".repeat(bytes), headers };
    expect((await ask(`http://127.0.0.1:${port}${path}`, question)).body).toBe(said);
  }
});

it("the connection is not closed under a client that is still sending", async () => {
  const socket = connect({ host: "127.0.0.1", port });
  let text = "";
  socket.setEncoding("latin1").on("data", (piece: string) => {
    text += piece;
  });
  const closed = once(socket, "close");
  socket.write("PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n");
  for (let sent = 0; sent < 10; sent++) {
    socket.write("x".repeat(sent < 9 ? 10_000 : 9_999));
    // The server has had time for a whole request since.
    await ask(`http://127.0.0.1:${port}/discard`);
  }
  expect(text).toBe("");
  socket.write("x");
  await closed;
  expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*too-large/);
});
