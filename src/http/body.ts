/** Collects the body of a request, up to a limit. */

import type { IncomingMessage } from "node:http";

const nothing = new Uint8Array(0);

/**
 * Calls `done` once: with the body when it is complete, or with undefined as soon as it is larger than `limitBytes`; the
 * rest of it then waits unread. Never called for a body that breaks off.
 */
export function readBody(
  req: IncomingMessage,
  limitBytes: number,
  done: (body: Uint8Array | undefined) => void,
): void {
  const pieces: Buffer[] = [];
  let size = 0;
  const take = (piece: Buffer) => {
    size += piece.length;
    if (size <= limitBytes) {
      pieces.push(piece);
      return;
    }
    req.off("data", take).off("end", finish).pause();
    done(undefined);
  };
  const finish = () =>
    done(pieces.length === 0 ? nothing : pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
  req.on("data", take).on("end", finish);
}
