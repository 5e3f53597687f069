/** A tree of Lua files in a temporary folder. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface Tree {
  /** Absolute, without symlinks. */
  readonly root: string;
  /** Writes files by their path below the root; null removes. */
  write(files: Readonly<Record<string, string | null>>): void;
  path(name: string): string;
  remove(): void;
}

export function createTree(files: Readonly<Record<string, string>> = {}): Tree {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "relua-")));
  const tree: Tree = {
    root,
    write(changes) {
      for (const [name, text] of Object.entries(changes)) {
        const path = join(root, name);
        if (text === null) {
          rmSync(path, { force: true });
          continue;
        }
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
      }
    },
    path: (name) => join(root, name),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
  tree.write(files);
  return tree;
}
