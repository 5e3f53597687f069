/** Reads request bodies, never more of them than is allowed. */

import type { IncomingMessage } from "node:http";

/** What a client may go on sending after its body turned out too large, until the connection is cut. */
const patienceBytes = 32 * 1024 ** 2;

/** The body; `"too-large"` as soon as that is known; rejects when the client went away. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | "too-large"> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) {
      discard(request);
      resolve("too-large");
      return;
    }
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      request.off("data", take);
      chunks.length = 0;
      discard(request);
      resolve("too-large");
    };
    request.on("data", take);
    request.once("end", () => resolve(Buffer.concat(chunks)));
    request.once("error", reject);
    request.once("close", () => reject(new Error("the client went away")));
  });
}

/**
 * Lets a client finish sending what nobody will read, so that it gets to see the answer: closing at once would make
 * its system drop what it has received.
 */
export function discard(request: IncomingMessage): void {
  let bytes = 0;
  request.on("error", () => undefined);
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > patienceBytes) request.destroy();
  });
}
