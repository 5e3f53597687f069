/** Spans of time as people write them: `90s`, `10m`, `2h`. */

import { ReluaError } from "../errors.ts";

const unitMs: Readonly<Record<string, number>> = {
  "": 1,
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
};

/**
 * Whole milliseconds, from 1 to `mostMs`; a number without a unit is milliseconds already.
 * @throws ReluaError `usage`
 */
export function parseSpanMs(option: string, text: string, mostMs: number): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const ms = Math.round(Number(number) * (unitMs[unit.toLowerCase()] ?? Number.NaN));
  if (number !== "" && ms >= 1 && ms <= mostMs) return ms;
  throw new ReluaError(
    "usage",
    `${option} is ${JSON.stringify(text)}; it takes a time like 90s, 10m or 2h, at most ${mostMs / 3_600_000}h; a number alone is milliseconds`,
  );
}
