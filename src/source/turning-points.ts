/** Finds the folders in which a change can turn a lexical path to another folder: where its links and gaps are. */

import { lstatSync, readlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { realPathOf } from "./pass.ts";

/** As many links as the kernel follows for one path. */
const mostLinks = 40;

/**
 * Real paths of the folders that hold a symbolic link on the way to `path`, links behind links included; when `path`
 * does not exist, also of the folder that its next missing part would appear in.
 */
export function turningPoints(path: string): Set<string> {
  const folders = new Set<string>();
  const add = (folder: string) => {
    const real = realPathOf(folder);
    if (real !== undefined) folders.add(real);
  };
  let at = path;
  for (let links = 0; links <= mostLinks; links += 1) {
    const stop = firstStop(at);
    if (stop === undefined) return folders;
    add(dirname(stop.path));
    if (stop.target === undefined) return folders;
    at = resolve(dirname(stop.path), stop.target) + at.slice(stop.path.length);
  }
  return folders;
}

/** The first part of the path that is a link, with its target, or that is missing. */
function firstStop(path: string): { readonly path: string; readonly target: string | undefined } | undefined {
  for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
    const part = end === -1 ? path : path.slice(0, end);
    try {
      if (lstatSync(part).isSymbolicLink()) return { path: part, target: readlinkSync(part) };
    } catch {
      return { path: part, target: undefined };
    }
    if (end === -1) return undefined;
  }
}
