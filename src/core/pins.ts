/** Which module names are never evicted, and why. */

/** Names that every VM has from the start: clearing them would break the VM. */
const builtIn: ReadonlySet<string> = new Set([
  "_G",
  "bit",
  "cjson",
  "cjson.safe",
  "coroutine",
  "debug",
  "io",
  "jit",
  "math",
  "ngx",
  "njt",
  "os",
  "package",
  "relua.hot",
  "string",
  "table",
  "table.clear",
  "table.clone",
  "table.isarray",
  "table.isempty",
  "table.new",
  "table.nkeys",
  "utf8",
]);

/** Why a name is kept: `built in`, `pinned`, `pinned (hot.pin)`; undefined when it may be evicted. */
export type PinnedWhy = (name: string) => string | undefined;

/** Names or patterns with `*` (any run of characters): `vendor.*`. */
export function createPins(patterns: readonly string[]): PinnedWhy {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
  const globs = patterns
    .filter((pattern) => pattern.includes("*"))
    .map((pattern) => new RegExp(`^${pattern.split("*").map(escapeRegExp).join(".*")}$`, "s"));
  return (name) => {
    if (builtIn.has(name)) return "built in";
    if (exact.has(name) || globs.some((glob) => glob.test(name))) return "pinned";
    return undefined;
  };
}

/** The same, and the modules that pinned themselves. */
export function withHotPins(pinnedWhy: PinnedWhy, pinnedItself: (name: string) => boolean): PinnedWhy {
  return (name) => pinnedWhy(name) ?? (pinnedItself(name) ? "pinned (hot.pin)" : undefined);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
