/** Chains with their places: what changed, and who required whom, how and where. */

import type { ClosureMember, Via } from "../core/closure.ts";
import { endsOfChains } from "./abbreviate.ts";
import { readableLines } from "./readable.ts";

/** One name of a chain, and how it came into it. */
export interface ToldStep extends Omit<Via, "kind"> {
  /** Undefined for a root. */
  readonly kind?: Via["kind"] | undefined;
}

/** `lib.b (load, lib/b.lua:1)` */
export function stepText(step: ToldStep): string {
  const how = howText(step);
  return how === "" ? readableName(step.name) : `${readableName(step.name)} (${how})`;
}

/** `c → lib.b (load, lib/b.lua:1) → a (call, a.lua:7)` */
export function chainText(steps: readonly ToldStep[]): string {
  return steps.map(stepText).join(" → ");
}

/**
 * One line for each module on which no other one's chain leads through; all together name every member.
 * @param causeOf what a chain that begins with this root begins with
 */
export function evictedLines(
  members: readonly ClosureMember[],
  causeOf: (root: string) => string,
): readonly string[] {
  const viaOf = new Map(members.map(({ name, via }) => [name, via] as const));
  return endsOfChains(members).map(({ because }) => {
    const steps = because.map((name) => ({ ...viaOf.get(name), name }));
    return `${causeOf(because[0] ?? "")} → ${chainText(steps)}`;
  });
}

/** On one line, without control characters: a name is whatever somebody required. */
export function readableName(name: string): string {
  return readableLines(name).join("\\n");
}

function howText({ kind, at, static: isStatic }: ToldStep): string {
  if (kind === undefined) return "";
  if (kind === "alias") return "another name of the same file";
  return [kind, ...(at === undefined ? [] : [at]), ...(isStatic ? ["by its source"] : [])].join(", ");
}
