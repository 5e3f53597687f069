/** What `relua why` shows of a module or a file: what it is, why it went or stays, and what a change of it would do. */

import { evictedLines, readableName, stepText } from "../observe/chain.ts";
import { count } from "../observe/quantities.ts";
import { readableLines } from "../observe/readable.ts";
import type { Style } from "../observe/style.ts";
import type { ToldFile, ToldModule, ToldPlan, ToldVerdict } from "./explanations.ts";

const indent = "    ";

export function formatModule(module: ToldModule, style: Style): string {
  const { name, file, hash, aliases, lastEvicted, last, onChange, edges, incomplete } = module;
  const place = file === undefined ? [] : [file, ...(hash === undefined ? [] : [hash])];
  return [
    [readableName(name), ...place, holders(module)].join("  "),
    ...(aliases.length === 0 ? [] : [`also loaded as ${aliases.map(readableName).join(", ")}`]),
    ...nowLines(module.reasons),
    ...(last === undefined ? [] : [`last: ${verdictText(last, style)}`]),
    ...(lastEvicted === undefined || lastEvicted.id === last?.id
      ? []
      : [`evicted last: ${verdictText(lastEvicted, style)}`]),
    ...changeLines(onChange, file ?? name),
    ...neighbourLines(
      "requires",
      edges.filter(({ from }) => from === name).map((edge) => ({ ...edge, name: edge.to })),
    ),
    ...neighbourLines(
      "required by",
      edges.filter(({ to }) => to === name).map((edge) => ({ ...edge, name: edge.from })),
    ),
    ...(incomplete === undefined
      ? []
      : [style.attention(`what only sources say is missing: ${readable(incomplete)}`)]),
  ].join("\n");
}

export function formatFile(told: ToldFile, style: Style): string {
  const { file, realFile, hash, onDisk, names, last } = told;
  const behind = realFile === undefined || realFile === file ? [] : [`→ ${realFile}`];
  const contents =
    hash === onDisk
      ? [hash ?? "nothing there"]
      : [`runs ${hash ?? "nothing"}, on disk ${onDisk ?? "nothing"}`];
  return [
    [file, ...behind, ...contents].join("  "),
    ...names.map(({ name, shadowedBy, vms }) =>
      shadowedBy === undefined
        ? `${indent}${readableName(name)}: ${vms.length === 0 ? "no VM holds it" : `in ${vmsText(vms)}`}`
        : `${indent}${readableName(name)}: ${shadowedBy} answers to it`,
    ),
    ...nowLines(told.reasons),
    ...(last === undefined
      ? []
      : [
          `last: ${headOf(last, style)}: ${last.change.kind}, ${
            last.evicted.length === 0
              ? "no loaded module concerned"
              : `${last.outcome === "rejected" ? "would have evicted" : "evicted"} ${last.evicted.map(readableName).join(", ")}`
          }`,
        ]),
    ...changeLines(told.onChange, file),
  ].join("\n");
}

function holders({ vms, generation, pinned }: ToldModule): string {
  const held = vms.length === 0 ? "no VM holds it" : `in ${vmsText(vms)}`;
  const since = generation === undefined || vms.length === 0 ? "" : `, loaded in generation ${generation}`;
  return `${held}${since}${pinned === undefined ? "" : `, ${pinned}`}`;
}

function vmsText(vms: readonly number[]): string {
  return `${vms.length === 1 ? "VM" : "VMs"} ${vms.join(", ")}`;
}

/** The first says most. */
function nowLines(reasons: ToldModule["reasons"]): readonly string[] {
  return reasons.map(({ text }, at) => `${at === 0 ? "now" : "and"}: ${readable(text)}`);
}

function verdictText(verdict: ToldVerdict, style: Style): string {
  const { evicted, causes, chain, reason } = verdict;
  const head = headOf(verdict, style);
  if (!evicted) return `${head}: kept, ${readable(reason?.text ?? "unchanged")}`;
  const cause =
    causes.length === 0 ? "asked for" : causes.map(({ file, kind }) => `${file} ${kind}`).join(", ");
  return `${head}: ${[cause, ...chain.map(stepText)].join(" → ")}`;
}

function headOf(
  { id, outcome, generation, startedAt }: Pick<ToldVerdict, "id" | "outcome" | "generation" | "startedAt">,
  style: Style,
): string {
  const what = outcome === "rejected" ? "rejected" : `generation ${generation}`;
  return `${style.dim(`${style.moment(startedAt)} #${id}`)} ${what}`;
}

function changeLines(plan: ToldPlan | undefined, of: string): readonly string[] {
  if (plan === undefined) return [];
  const { evicted, kept } = plan;
  const members = evicted.map(({ via, ...member }) => ({ ...member, ...(via && { via }) }));
  return [
    `a change would evict ${evicted.length === 0 ? "nothing" : count(evicted.length, "module")}${evicted.length === 0 ? "" : ":"}`,
    ...evictedLines(members, () => `${of} changed`).map((line) => indent + line),
    ...kept.map(({ name, why }) => `${indent}kept ${readableName(name)}: ${readable(why)}`),
  ];
}

function neighbourLines(
  title: string,
  edges: readonly {
    readonly name: string;
    readonly kind: "load" | "call";
    readonly at: string;
    readonly static?: true | undefined;
  }[],
): readonly string[] {
  return edges.length === 0 ? [] : [`${title}:`, ...edges.map((edge) => indent + stepText(edge))];
}

function readable(text: string): string {
  return readableLines(text).join(" ");
}
