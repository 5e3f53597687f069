/** Tests against Debian's own Lua: found where it is installed, skipped with a reason where not, required in CI. */

import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { it, type TestContext } from "vitest";

/** Something that a Debian package installs. */
export interface DebianPart {
  /** For `apt-get install`. */
  readonly package: string;
  /** Absolute; undefined when it is not installed. */
  readonly path: string | undefined;
}

/** A program, e.g. `lua5.1`; the package has its name unless another is given. */
export function debianProgram(name: string, packageName: string = name): DebianPart {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return { package: packageName, path: folders.map((folder) => join(folder, name)).find(isExecutable) };
}

/** A Lua library of /usr/share/lua/5.1, e.g. `pl` of `lua-penlight` or `inspect.lua` of `lua-inspect`. */
export function debianLuaLibrary(entry: string, packageName: string): DebianPart {
  const path = join(debianLuaFolder, entry);
  return { package: packageName, path: existsSync(path) ? path : undefined };
}

/** Where Debian's Lua libraries for 5.1 and LuaJIT are; a search path reaches them by `;;`. */
export const debianLuaFolder = "/usr/share/lua/5.1";

/**
 * A test that needs parts of Debian; `body` gets their paths in the same order. Without them it is skipped and says
 * what to install, but in CI (`CI` set) it fails: a check that never runs there is none.
 */
export function itWithDebian(
  title: string,
  parts: readonly DebianPart[],
  body: (...paths: readonly string[]) => void | Promise<void>,
): void {
  it(title, (context: TestContext) => {
    const missing = parts.filter((part) => part.path === undefined).map((part) => part.package);
    if (missing.length === 0) return body(...parts.map((part) => part.path as string));
    const reason = `needs Debian's ${missing.join(", ")}: apt-get install ${missing.join(" ")}`;
    if (process.env.CI !== undefined && process.env.CI !== "") throw new Error(reason);
    return context.skip(reason);
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
