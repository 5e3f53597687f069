/** The kinds of field that request bodies have; each says in its error what it takes. */

import { z } from "zod";

/** Names, paths and reasons are no longer than this, lists no longer than that. */
const maxLength = 4096;
const maxListed = 10_000;

/** The input of an operation that takes none. */
export const nothing = z.object({});

export const takes = (what: string) => ({ error: `it takes ${what}` });

export const flag = z.boolean(takes("true or false"));

export const text = z.string(takes("a text")).max(maxLength, takes(`at most ${maxLength} characters`));

const entry = z
  .string(takes("texts"))
  .min(1, takes("texts that are not empty"))
  .max(maxLength, takes(`texts of at most ${maxLength} characters`))
  .regex(/^[^\0]*$/, takes("texts without NUL"));

/** Names or files. */
export const texts = z
  .array(entry, takes("a list of texts"))
  .max(maxListed, takes(`at most ${maxListed} entries`));

const longestWaitMs = 600_000;

/** How long an answer may wait until every worker has applied what it tells. */
export const waitMs = z
  .int(takes(`0 to ${longestWaitMs}`))
  .min(0, takes(`0 to ${longestWaitMs}`))
  .max(longestWaitMs, takes(`0 to ${longestWaitMs}`))
  .describe("Milliseconds to wait until every VM and every worker of the targets has applied it");
