/** The files that a config's locations run as handlers. */

import { posix } from "node:path";
import type { Config } from "../../config/index.ts";
import type { LocationDocument } from "../../core/servers.ts";

/** Absolute paths of those that are the same for every request. */
export function handlerFiles({ servers, prefix }: Config): readonly string[] {
  const files = servers.flatMap(({ locations }) => locations.flatMap(filesOf));
  return [...new Set(files.filter((file) => !file.includes("$")).map((file) => posix.resolve(prefix, file)))];
}

function filesOf({ lua = {}, locations = [] }: LocationDocument): readonly string[] {
  const own = Object.entries(lua).flatMap(([key, file]) =>
    key.endsWith("_by_file") && file !== undefined ? [file] : [],
  );
  return [...own, ...locations.flatMap(filesOf)];
}
