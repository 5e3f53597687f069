/** Reasons: why a module or a file was not, is not or would not be evicted, with a code to branch on. */

import type { HoldStatus } from "./hold.ts";
import type { LoadError, Outcome } from "./outcome.ts";
import { type Kept, whyNotFound, whyNotLoaded, whyUnchanged } from "./plan.ts";

/** Stable. */
export const reasonCodes = [
  /** What is on the disk is what runs, or no chain led from what changed. */
  "unchanged",
  /** No VM holds it. */
  "not-loaded",
  /** Nothing on the search path answers to the name. */
  "not-found",
  /** Nothing is at the path. */
  "absent",
  "pinned",
  /** An earlier template answers with another file. */
  "shadowed",
  /** No template leads there, or the file lies where nobody watches. */
  "outside",
  /** A rule says that it is no module, or it is none that could be read. */
  "ignored",
  /** It differs on the disk, and commits are kept back. */
  "held",
  /** It differs on the disk, and what is there does not load. */
  "rejected",
  /** It differs on the disk, and a rollback stands. */
  "rolled-back",
  /** It differs on the disk, and is on its way. */
  "pending",
  /** A handler's or an init chunk: it is no module. */
  "chunk",
] as const;

export type ReasonCode = (typeof reasonCodes)[number];

export interface Reason {
  readonly code: ReasonCode;
  /** Paths in it are absolute. */
  readonly text: string;
}

const pinnedTexts: Readonly<Record<string, string>> = {
  "built in": "built in: every VM has it from its start",
  pinned: "pinned by the config (reload.pinned)",
  "pinned (hot.pin)": "pinned by itself (hot.pin)",
};

/** @param why as `PinnedWhy` says it */
export function pinnedReason(why: string): Reason {
  return { code: "pinned", text: pinnedTexts[why] ?? why };
}

/** What a plan says of a name that it keeps. */
export function keptReason({ why }: Kept): Reason {
  if (why === whyNotLoaded) return { code: "not-loaded", text: "no VM had loaded it" };
  if (why === whyUnchanged) return { code: "unchanged", text: "its file had not changed" };
  if (why === whyNotFound) return { code: "not-found", text: "nothing on the search path answered to it" };
  if (why.startsWith("shadowed by ")) return { code: "shadowed", text: why };
  const [pinned = why, ...more] = why.split("; ");
  return { code: "pinned", text: [pinnedReason(pinned).text, ...more].join("; ") };
}

export function heldReason({ owner, reason }: HoldStatus): Reason {
  const said = reason === "" ? "" : `: ${reason}`;
  return { code: "held", text: `the disk differs, and ${owner} holds commits back${said}` };
}

export function rejectedReason({ id, errors }: Outcome): Reason {
  const [first] = errors;
  const more = errors.length > 1 ? `, and ${errors.length - 1} more errors` : "";
  return {
    code: "rejected",
    text: first === undefined ? `rejected in #${id}` : `rejected in #${id}: ${errorText(first)}${more}`,
  };
}

/** `/srv/apps/c.lua:3: unexpected symbol`; Lua's own messages say the place already. */
function errorText({ path, line, message }: LoadError): string {
  if (path === undefined || message.startsWith(`${path}:`)) return message;
  return `${path}${line === undefined ? "" : `:${line}`}: ${message}`;
}
