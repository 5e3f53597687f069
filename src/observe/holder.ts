/** Who holds, and why, in few words. */

import { readableLines } from "./readable.ts";

export interface Holder {
  readonly owner: string;
  readonly reason: string;
}

/** `ci: deploy 42` */
export function formatHolder({ owner, reason }: Holder): string {
  const parts = [owner, reason].map((text) => readableLines(text, 200).join(" "));
  return parts.filter((text) => text !== "").join(": ");
}
