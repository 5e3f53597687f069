/** How output looks on a stream: with or without colours, and in which form it gives the time. */

import { styleText } from "node:util";

type Environment = Readonly<Record<string, string | undefined>>;
type Paint = (text: string) => string;

export interface Style {
  readonly good: Paint;
  readonly bad: Paint;
  readonly attention: Paint;
  readonly dim: Paint;
  /** The time of a line; `atMs` counts from the epoch. */
  clock(atMs: number): string;
}

/** For a person at a terminal: colours where wanted, the time of day. */
export function terminalStyle(colours: boolean): Style {
  return { ...paints(colours), clock: timeOfDay };
}

/** For a file or another program: ISO time in UTC. */
export function pipeStyle(colours: boolean): Style {
  return { ...paints(colours), clock: (atMs) => new Date(atMs).toISOString() };
}

/**
 * Whether to colour. FORCE_COLOR decides where it is set (`0` and `false` say no), then NO_COLOR when it is not empty
 * (no-color.org), then whether a terminal that knows colours is there.
 */
export function wantsColours(isTty: boolean, env: Environment): boolean {
  const forced = env.FORCE_COLOR;
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return false;
  return isTty && env.TERM !== "dumb";
}

function paints(colours: boolean): Omit<Style, "clock"> {
  const paint = (format: Parameters<typeof styleText>[0]): Paint =>
    // Whether the stream takes colours is decided above, for either stream; styleText would look at stdout.
    colours ? (text) => styleText(format, text, { validateStream: false }) : (text) => text;
  return { good: paint("green"), bad: paint("red"), attention: paint("yellow"), dim: paint("dim") };
}

function timeOfDay(atMs: number): string {
  const time = new Date(atMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}
