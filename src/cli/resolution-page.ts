/** What `relua resolve` shows. */

import { readableName } from "../observe/chain.ts";
import { readableLines } from "../observe/readable.ts";
import type { Style } from "../observe/style.ts";
import type { ReadResolution } from "./explanations.ts";

const indent = "    ";

/** @param by who says so: what runs, or what is on the disk now */
export function formatResolution(found: ReadResolution, by: "agent" | "disk", style: Style): string {
  const { name, file, realFile, probes, shadowed, names, reason } = found;
  const place = [file, ...(realFile === undefined || realFile === file ? [] : [`→ ${realFile}`])].join(" ");
  const others = names.filter((each) => each.name !== name);
  return [
    name === undefined ? place : `${readableName(name)}: ${file === undefined ? "nowhere" : place}`,
    ...(reason === undefined ? [] : [style.bad(indent + readableLines(reason.text).join(" "))]),
    ...probes.map((path) => `${indent}nothing at ${path}`),
    ...shadowed.map((path) => `${indent}shadows ${path}`),
    ...others.map((other) =>
      other.shadowedBy === undefined
        ? `${indent}${name === undefined ? "" : "also "}${readableName(other.name)}`
        : `${indent}${readableName(other.name)} leads to ${other.shadowedBy}`,
    ),
    ...(by === "disk" ? [style.dim("no agent answers: this is what is on the disk")] : []),
  ].join("\n");
}
