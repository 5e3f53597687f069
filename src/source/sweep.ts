/** Compares the whole index with the disk by `stat` alone, to find what no hint told of. */

import { basename } from "node:path";
import type { DiskIndex, FolderNode } from "./disk-index.ts";
import { folderIdentity, sameFile, statOrCode } from "./stat-identity.ts";
import { pathIn } from "./territory.ts";

/** What a sweep tells. */
export interface SweepListener {
  /** Something in `folder` is not as it was. */
  differs(folder: string): void;
  /** `stat` cannot say whether something in `folder` has changed. */
  unsure(folder: string): void;
}

/** One sweep. Yields 0 after each folder and each handful of files; the index may change in between. */
export function* sweep(index: DiskIndex, listener: SweepListener): Generator<number, void> {
  for (const node of index.folders()) {
    compareFolder(node, listener);
    yield 0;
    let differs = false;
    let unsure = node.skipped.size > 0;
    let files = 0;
    for (const [name, entry] of node.files) {
      const stats = statOrCode(pathIn(node.real, name));
      if (typeof stats === "string" || (entry.identity !== undefined && !sameFile(entry.identity, stats)))
        differs = true;
      else if (entry.identity === undefined) unsure = true;
      files += 1;
      if (files % 50 === 0) yield 0;
    }
    if (differs) listener.differs(node.path);
    else if (unsure) listener.unsure(node.path);
  }
}

function compareFolder(node: FolderNode, { differs, unsure }: SweepListener): void {
  const { parent } = node;
  const stats = statOrCode(parent === undefined ? node.path : pathIn(parent.real, basename(node.path)));
  // Which folder it is, is for the listing of the one above to say.
  if (typeof stats === "string" || (node.identity !== undefined && folderIdentity(stats) !== node.identity)) {
    differs(parent?.path ?? node.path);
  } else if (node.listed === undefined || node.identity === undefined) {
    unsure(node.path);
  } else if (stats.mtimeMs !== node.listed.mtimeMs || stats.ctimeMs !== node.listed.ctimeMs) {
    differs(node.path);
  }
}
