/** Modules written in C: where `package.cpath` would find them, as far as that can be known without the host. */

import { existsSync, readdirSync } from "node:fs";
import { type Candidate, candidates, parsePackagePath, type SearchPath } from "../../core/search-path.ts";

/** Beside the Lua files, and where Debian and `make install` put them for Lua 5.1 and LuaJIT. */
export function createCModules(searchPath: SearchPath): (name: string) => boolean {
  const beside = searchPath.templates.flatMap(({ absolute }) =>
    absolute.endsWith("/?.lua") ? [absolute.replace(/lua$/, "so")] : [],
  );
  const cPath = parsePackagePath([...beside, ...systemTemplates()].join(";"), searchPath.cwd);
  const known = new Map<string, boolean>();
  const isThere = ({ path }: Candidate) => existsSync(path);
  return (name) => {
    // A submodule may be inside the library of its root (Lua 5.1 manual, package.loaders).
    const found =
      known.get(name) ??
      [name, name.replace(/\..*/s, "")].some((each) => candidates(cPath, each).some(isThere));
    known.set(name, found);
    return found;
  };
}

function systemTemplates(): readonly string[] {
  const folders = ["/usr/local/lib/lua/5.1", "/usr/lib/lua/5.1"];
  try {
    for (const name of readdirSync("/usr/lib"))
      if (name.includes("-linux-")) folders.push(`/usr/lib/${name}/lua/5.1`);
  } catch {
    // Not a system that has one.
  }
  return folders.map((folder) => `${folder}/?.so`);
}
