/** Waits until every worker of a server answers a version, asking as clients do, each on a connection of its own. */

import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";

/** Connections at a time: one alone would always be given to the same VM. */
const abreast = 4;

export interface NewCode {
  /** From before the write until each worker has answered the new version. */
  readonly ms: number;
  /** Within that, from the first request that was not answered until one was again. */
  readonly deafMs: number;
}

/**
 * Asks on and on, until the workers that answered `version` are all there are. A worker that answers another version
 * after it has answered this one is one that goes, and is not counted. `port` is undefined while nobody listens.
 */
export async function untilNew(
  began: number,
  port: () => number | undefined,
  workerOf: (response: IncomingMessage) => string,
  isAll: (heard: ReadonlySet<string>) => boolean,
  version: string,
): Promise<NewCode> {
  const heard = new Set<string>();
  let deafFrom: number | undefined;
  let deafMs = 0;
  while (!isAll(heard)) {
    const answers = await Promise.all(Array.from({ length: abreast }, () => asked(port())));
    const now = performance.now();
    if (answers.every((answer) => answer === undefined)) deafFrom ??= now;
    else if (deafFrom !== undefined) {
      deafMs += now - deafFrom;
      deafFrom = undefined;
    }
    for (const answer of answers)
      if (answer?.body === version) heard.add(workerOf(answer.response));
      else if (answer) heard.delete(workerOf(answer.response));
  }
  return { ms: performance.now() - began, deafMs };
}

/** One request on a connection of its own; undefined when nobody answers. */
async function asked(port: number | undefined) {
  if (port === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return undefined;
  }
  try {
    const asking = request({ port, host: "127.0.0.1", agent: false }).end();
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    const pieces = await response.setEncoding("latin1").toArray();
    return { response, body: pieces.join("") };
  } catch {
    return undefined;
  }
}
