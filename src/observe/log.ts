/** Lines of the log: what Lua code and the agent's parts have to say, with time, level and VM. */

import { type LogLevel, logLevels } from "../core/log.ts";
import { readableLines } from "./readable.ts";
import type { Style } from "./style.ts";

export interface LogEntry {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly level: LogLevel;
  /** 0 is the canary; undefined the agent itself. */
  readonly vm: number | undefined;
  readonly message: string;
}

const indent = "    ";

/** `14:03:12 [error] VM 2: [lua] c.lua:3: …`; what a message has beyond its first line follows indented. */
export function formatEntry(entry: LogEntry, style: Style): string {
  const origin = entry.vm === undefined ? "" : entry.vm === 0 ? "canary: " : `VM ${entry.vm}: `;
  const [first = "", ...rest] = readableLines(entry.message);
  const level = paintOf(entry.level, style)(`[${entry.level}]`);
  const head = `${style.dim(style.clock(entry.atMs))} ${level} ${origin}${first}`;
  return [head, ...rest.map((line) => indent + line)].join("\n");
}

/** Whether an entry of this level is shown when `threshold` is the least important level that is. */
export function isShown(level: LogLevel, threshold: LogLevel): boolean {
  return logLevels.indexOf(level) <= logLevels.indexOf(threshold);
}

function paintOf(level: LogLevel, style: Style): (text: string) => string {
  if (isShown(level, "error")) return style.bad;
  if (level === "warn") return style.attention;
  return isShown(level, "notice") ? (text) => text : style.dim;
}
