/** What the stages of one pass over the disk share. */

import { realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { ArenaWriter } from "./arena.ts";
import type { Changes } from "./changes.ts";
import type { DiskIndex, FolderNode } from "./disk-index.ts";
import { type FileIdentity, folderIdentity, statOrCode } from "./stat-identity.ts";
import type { Territory } from "./territory.ts";

/** Files of one folder that wait for their turn to be looked at. */
export interface Look {
  readonly node: FolderNode;
  readonly names: readonly string[];
  /** True when the names may be symbolic links, so that their real paths must be asked for. */
  readonly link: boolean;
  /** Hash them even when `stat` shows no change. */
  readonly force: boolean;
  /** What `stat` said when the one file was looked at before in this pass. */
  readonly earlier?: FileIdentity;
}

/** One pass: its tools, and what it has still to do. */
export interface Pass {
  readonly territory: Territory;
  readonly index: DiskIndex;
  readonly changes: Changes;
  readonly arena: ArenaWriter;
  readonly maxFileBytes: number;
  /** Folders to list, and whether everything below is listed as well. */
  readonly toList: Map<FolderNode, boolean>;
  readonly looks: Look[];
  /** Files in `looks`. */
  filesToLook: number;
  /** Folders that were not known before, and that something was put into just now. */
  readonly fresh: string[];
  /** Folders with files that differ and are not read, since somebody is writing to them. */
  readonly writing: Set<FolderNode>;
  /** See `Scope`; undefined takes every file as it is. */
  readonly writingMs: number | undefined;
  /** Tops that are missing and may come back: nothing in them is judged. */
  readonly vanished: Set<FolderNode>;
  /** Folders that must be looked at once more, after so many milliseconds. */
  readonly again: Map<string, number>;
  /** True when a file that is to be read is better left for another time. */
  readonly defer: () => boolean;
}

/** Folders that could not be judged now are looked at after this long. */
export const failedAgainMs = 250;

export function lookAgain(pass: Pass, folder: string, afterMs: number): void {
  pass.again.set(folder, Math.min(afterMs, pass.again.get(folder) ?? afterMs));
}

/** Has files looked at when all folders are listed. */
export function addLook(pass: Pass, look: Look): void {
  if (look.names.length === 0) return;
  pass.looks.push(look);
  pass.filesToLook += look.names.length;
}

/** Which folder is at a lexical path now. */
export function folderNow(path: string): { readonly real: string; readonly identity: string } | undefined {
  const stats = statOrCode(path);
  const real = realPathOf(path);
  if (typeof stats === "string" || real === undefined || !stats.isDirectory()) return undefined;
  return { real, identity: folderIdentity(stats) };
}

export function realPathOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/** The node of a folder of the territory that exists, with the nodes on the way to it. */
export function nodeFor(pass: Pass, path: string): FolderNode | undefined {
  const { index, territory } = pass;
  const top = territory.tops().some(({ folder }) => folder === path);
  if (!top && territory.interest(path) === undefined) return undefined;
  const parent = top ? undefined : nodeFor(pass, dirname(path));
  if (!top && parent === undefined) return undefined;
  const now = folderNow(path);
  if (now === undefined) return undefined;
  const node = index.addFolder(path, parent, now.real);
  // Another folder than before: the pass that lists the folders above looks at everything in it.
  if (node.real !== now.real) index.identify(node, undefined, now.real);
  return node;
}

/** Forgets the file of a folder, if it is known. */
export function forgetFile(pass: Pass, path: string): void {
  const node = pass.index.folder(dirname(path));
  if (node === undefined) return;
  pass.index.removeFile(node, basename(path), pass.changes);
  node.skipped.delete(basename(path));
  node.unfinished.delete(basename(path));
}
