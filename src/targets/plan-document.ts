/** The plan as a program gets it on its standard input: one JSON document. docs/targets.md describes it. */

import { together, type Waiting } from "./waiting.ts";

export interface PlanDocument {
  /** Of this format. */
  readonly version: 1;
  readonly target: string;
  readonly agent: string;
  /** The generation that the host is to run. */
  readonly generation: number;
  /** The one that it was told last, or that was active at the start; `generation - 1` where none was missed. */
  readonly since: number;
  /** `$prefix`. */
  readonly prefix: string;
  readonly changes: readonly {
    /** Absolute. */
    readonly path: string;
    readonly kind: string;
    /** XXH64 of the content now; absent for what was removed. */
    readonly hash?: string;
    /** The same of the content before; absent for what was added. */
    readonly was?: string;
  }[];
  /** Dependents first, each with its shortest chain. */
  readonly evicted: readonly { readonly name: string; readonly because: readonly string[] }[];
  readonly kept: readonly { readonly name: string; readonly why: string }[];
  /** Pinned names that changed: the host must be restarted, or told to start new workers. */
  readonly recycleRequired: readonly string[];
}

/** @param waiting at least one, in order */
export function planDocument(
  waiting: readonly Waiting[],
  sender: Pick<PlanDocument, "target" | "agent" | "prefix">,
): PlanDocument {
  const { since, generation, changes, evicted, kept, recycleRequired } = together(waiting);
  return {
    version: 1,
    target: sender.target,
    agent: sender.agent,
    generation,
    since,
    prefix: sender.prefix,
    changes,
    evicted,
    kept,
    recycleRequired,
  };
}
