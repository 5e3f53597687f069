/** Whether what a worker runs is what it should: by the content, not by what anybody remembers. */

import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { KnownContent, TargetContext } from "./context.ts";
import type { LoadedModule } from "./nginx-protocol.ts";

/**
 * `uncommitted`: what is on the disk and not active: newer, rejected, held back or rolled back. `stale`: something else
 * than both. `unknown`: not watched, or its bytes were not seen.
 */
export type Verdict = "active" | "uncommitted" | "stale" | "unknown";

export interface Judged {
  readonly verdict: Verdict;
  /** Absolute. */
  readonly path: string;
  /** The content that it runs, where that is a known one. */
  readonly content: KnownContent | undefined;
}

/** Contents whose md5 is remembered. */
const mostRemembered = 50_000;

export class ContentTruth {
  readonly #context: Pick<TargetContext, "prefix" | "active" | "onDisk">;
  readonly #md5s = new Map<string, string>();

  constructor(context: Pick<TargetContext, "prefix" | "active" | "onDisk">) {
    this.#context = context;
  }

  judge({ path: reported, md5, failed }: Pick<LoadedModule, "path" | "md5" | "failed">): Judged {
    const path = posix.resolve(this.#context.prefix, reported);
    const active = this.#context.active(path);
    const onDisk = this.#context.onDisk(path);
    if (active === undefined && onDisk === undefined) return { verdict: "unknown", path, content: undefined };
    if (md5 === undefined) return { verdict: "unknown", path, content: active ?? onDisk };
    if (active && this.#md5(active) === md5) return { verdict: "active", path, content: active };
    if (onDisk && this.#md5(onDisk) === md5) return { verdict: "uncommitted", path, content: onDisk };
    // A chunk that failed runs nothing, and is tried anew after any change.
    return { verdict: failed ? "unknown" : "stale", path, content: undefined };
  }

  #md5(content: KnownContent): string {
    const known = this.#md5s.get(content.hash);
    if (known !== undefined) return known;
    const md5 = createHash("md5").update(content.bytes()).digest("hex");
    this.#md5s.set(content.hash, md5);
    if (this.#md5s.size > mostRemembered) {
      const [oldest] = this.#md5s.keys();
      if (oldest !== undefined) this.#md5s.delete(oldest);
    }
    return md5;
  }
}
