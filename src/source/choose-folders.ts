/** First stage of a pass: where to look, and what has become of the folders where walking starts. */

import { basename, dirname } from "node:path";
import type { FolderNode } from "./disk-index.ts";
import { addLook, folderNow, forgetFile, lookAgain, nodeFor, type Pass } from "./pass.ts";
import { statOrCode } from "./stat-identity.ts";

/**
 * Finds out which folders the tops are now: all real paths of the pass follow from these, so that a link on the way
 * that is swapped meanwhile does not mix two releases. `everything` lists them all, otherwise the new ones only.
 * A top that has vanished less than `graceMs` ago keeps its files: it is often on its way back.
 */
export function chooseTops(
  pass: Pass,
  everything: boolean,
  graceMs: number,
  missingSinceMs: Map<string, number>,
): void {
  const { index } = pass;
  for (const { folder } of pass.territory.tops()) {
    const known = index.folder(folder);
    const now = folderNow(folder);
    if (now === undefined) {
      const since = missingSinceMs.get(folder) ?? Date.now();
      missingSinceMs.set(folder, since);
      const leftMs = since + graceMs - Date.now();
      if (known !== undefined && leftMs > 0) {
        lookAgain(pass, folder, leftMs);
        pass.vanished.add(known);
      } else if (known !== undefined) {
        index.removeFolder(known, pass.changes);
      }
      continue;
    }
    const returned = missingSinceMs.delete(folder);
    const node = known ?? index.addFolder(folder, undefined, now.real);
    const replaced = node.identity !== now.identity || node.real !== now.real;
    if (replaced) index.identify(node, undefined, now.real);
    if (replaced || returned || everything) pass.toList.set(node, true);
  }
}

/** Chooses a known folder, without what is below. */
export function chooseFolder(pass: Pass, path: string): void {
  const node = pass.index.folder(path);
  if (node === undefined || pass.toList.has(node)) return;
  for (let at: FolderNode | undefined = node; at !== undefined; at = at.parent)
    if (pass.vanished.has(at)) return;
  pass.toList.set(node, false);
}

/** Chooses a file, or a folder with everything below, wherever it is in the territory. */
export function choosePath(pass: Pass, path: string, force: boolean): void {
  const { index, territory } = pass;
  const stats = statOrCode(path);
  const isFolder = typeof stats !== "string" && stats.isDirectory();
  if (isFolder && (territory.interest(path)?.suffixes.length ?? 0) > 0) {
    const node = nodeFor(pass, path);
    if (node !== undefined) pass.toList.set(node, true);
    return;
  }
  const known = index.folder(path);
  if (known !== undefined && !isFolder) index.removeFolder(known, pass.changes);
  const [folder, name] = [dirname(path), basename(path)];
  const interest = territory.interest(folder);
  if (interest === undefined || !territory.isCandidate(interest, folder, name)) return;
  const node = nodeFor(pass, folder);
  if (node === undefined) forgetFile(pass, path);
  else addLook(pass, { node, names: [name], link: true, force });
}
