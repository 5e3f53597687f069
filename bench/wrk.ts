/** wrk as a load generator that is not ours: a cross-check where one thread of JavaScript may be what limits. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { debianProgram } from "../test/debian.ts";

const { path: program } = debianProgram("wrk");

/** Requests per second with as many connections; undefined where wrk is not installed. @throws when answers failed */
export async function wrk(url: string, connections: number, ms: number): Promise<number | undefined> {
  if (program === undefined) return undefined;
  const seconds = Math.max(1, Math.round(ms / 1000));
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, url];
  const { stdout } = await promisify(execFile)(program, args);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(stdout);
  return Number(/Requests\/sec:\s*([\d.]+)/.exec(stdout)?.[1]);
}
