/** Checks Lua texts that stand in a test, without a disk. */

import { checkTree } from "../../src/check/check-tree.ts";
import type { Finding } from "../../src/check/finding.ts";
import { hostModules } from "../../src/check/host-modules.ts";
import { readSource } from "../../src/check/read-source.ts";
import type { TreeParts } from "../../src/check/tree.ts";
import type { SourceFile } from "../../src/core/manifest.ts";
import { createPins } from "../../src/core/pins.ts";
import { parseSearchPath } from "../../src/core/search-path.ts";

export interface Checked extends Partial<TreeParts> {
  /** Real files behind paths that are links. */
  readonly links?: Readonly<Record<string, string>>;
  readonly pinned?: readonly string[];
}

/** Findings for texts by path relative to /srv; `a` and then `b` are on the search path. */
export function check(
  texts: Readonly<Record<string, string>>,
  { links = {}, pinned = [], ...parts }: Checked = {},
) {
  const all = {
    ...texts,
    ...Object.fromEntries(Object.entries(links).map(([link, to]) => [link, texts[to] ?? ""])),
  };
  const files = Object.entries(all).map(
    ([name, text]): SourceFile => ({
      path: `/srv/${name}`,
      file: `/srv/${links[name] ?? name}`,
      hash: text,
      content: { arena: 1, offset: 0, length: text.length },
    }),
  );
  const isHost = createPins(hostModules);
  return checkTree(
    {
      searchPath: parseSearchPath("$prefix/a/?.lua;$prefix/a/?/init.lua;$prefix/b/?.lua", {
        prefix: "/srv",
        cwd: "/srv",
      }),
      cwd: "/srv",
      reachable: files,
      checked: files
        .filter(({ path, file }) => path === file)
        .map((source) => ({ source, reading: readSource(all[source.path.slice(5)] as string) })),
      pinnedWhy: createPins(pinned),
      isHostModule: (name) => isHost(name) !== undefined,
      globals: new Set(),
      aliases: "warn",
      ...parts,
    },
    () => false,
  );
}

/** `file:line:column severity rule` */
export function brief({ path, line, column, severity, rule }: Finding): string {
  return `${path.slice(5)}:${line}:${column} ${severity} ${rule}`;
}
