/** Reads request bodies, never more of them than is allowed. */

import type { IncomingMessage } from "node:http";

/** What a client may go on sending after its body turned out too large, until the connection is cut. */
const patienceBytes = 32 * 1024 ** 2;

/** The body, or `"too-large"`, when all of it has come; rejects when the client went away. */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Uint8Array | "too-large"> {
  const declared = Number(request.headers["content-length"] ?? 0);
  const body = declared > maxBytes ? "too-large" : await collect(request, maxBytes);
  if (body === "too-large") await discard(request);
  return body;
}

function collect(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | "too-large"> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      request.off("data", take);
      chunks.length = 0;
      resolve("too-large");
    };
    request.on("data", take);
    request.once("end", () => resolve(Buffer.concat(chunks)));
    request.once("error", reject);
    request.once("close", () => reject(new Error("the client went away")));
  });
}

/**
 * Lets a client finish sending what nobody will read, so that it gets to see the answer: the connection may end with
 * that, and closing before the end makes the client's system drop what it has received. Resolves when there is no more.
 */
export function discard(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let bytes = 0;
    request.on("error", () => undefined);
    request.once("end", resolve).once("close", resolve);
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > patienceBytes) request.destroy();
    });
  });
}
