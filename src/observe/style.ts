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
  /** Like `clock`, for what may be days ago. */
  moment(atMs: number): string;
}

/** For a person at a terminal: colours where wanted, the time of day. */
export function terminalStyle(colours: boolean): Style {
  const moment = (atMs: number) => `${dateOf(atMs)} ${timeOfDay(atMs)}`;
  return { ...paints(colours), clock: timeOfDay, moment };
}

/** For a file or another program: ISO time in UTC. */
export function pipeStyle(colours: boolean): Style {
  const moment = (atMs: number) => new Date(atMs).toISOString();
  return { ...paints(colours), clock: moment, moment };
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

function paints(colours: boolean): Omit<Style, "clock" | "moment"> {
  const paint = (format: Parameters<typeof styleText>[0]): Paint =>
    // Whether the stream takes colours is decided above, for either stream; styleText would look at stdout.
    colours ? (text) => styleText(format, text, { validateStream: false }) : (text) => text;
  return { good: paint("green"), bad: paint("red"), attention: paint("yellow"), dim: paint("dim") };
}

/** `2026-01-02`, where we are. */
function dateOf(atMs: number): string {
  const time = new Date(atMs);
  return [time.getFullYear(), time.getMonth() + 1, time.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("-");
}

function timeOfDay(atMs: number): string {
  const time = new Date(atMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}
