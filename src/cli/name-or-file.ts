/** Whether an argument is a module name or a file. */

import { statSync } from "node:fs";
import { resolve } from "node:path";

export type NameOrFile =
  | { readonly name: string }
  /** Absolute where it is a file here; else as it was written, relative to the agent's prefix. */
  | { readonly file: string };

/**
 * A file is what ends in `.lua` or starts with a slash, and what has a slash in it and is there. Everything else is a
 * name, `./prestop` and `app/models` too.
 */
export function nameOrFile(argument: string, cwd: string): NameOrFile {
  const path = resolve(cwd, argument);
  const isHere = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  if (isHere && argument.includes("/")) return { file: path };
  if (!argument.endsWith(".lua") && !argument.startsWith("/")) return { name: argument };
  return { file: isHere ? path : argument };
}
