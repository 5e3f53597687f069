/** Entry of the thread that reads facts off source texts, for trees that would block the main thread. */

import { parentPort } from "node:worker_threads";
import type { SourceFacts } from "../core/source-facts.ts";
import { contentText } from "./content-text.ts";
import { extractFacts } from "./extract-facts.ts";
import type { FactsRead, ReadContents } from "./thread-messages.ts";

const port = parentPort;
if (port === null) throw new Error("#check-thread is the entry of a worker thread");

/** The main thread takes the answer apart in one go: so much at once does not hold it up. */
const factsPerMessage = 500;

port.on("message", ({ id, contents, arenas }: ReadContents) => {
  let facts: (readonly [string, SourceFacts])[] = [];
  for (const [hash, content] of contents) {
    facts.push([hash, extractFacts(contentText(content, arenas))]);
    if (facts.length < factsPerMessage) continue;
    port.postMessage({ id, facts, done: false } satisfies FactsRead);
    facts = [];
  }
  port.postMessage({ id, facts, done: true } satisfies FactsRead);
});
