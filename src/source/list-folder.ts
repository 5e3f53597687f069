/** Second stage of a pass: lists one folder, sorts its entries into files, subfolders and odd things. */

import { type Dirent, readdirSync, type Stats } from "node:fs";
import type { FolderNode } from "./disk-index.ts";
import { addLook, failedAgainMs, lookAgain, type Pass, realPathOf } from "./pass.ts";
import {
  errorCode,
  folderIdentity,
  isGone,
  isLasting,
  isYoung,
  oddKind,
  statOrCode,
} from "./stat-identity.ts";
import { type Interest, pathIn } from "./territory.ts";

const deepestLevel = 64;
/** Whoever made a folder and put something into it so recently is likely not done yet. */
const freshMs = 200;

/** One listing under way. */
interface Listing {
  readonly node: FolderNode;
  readonly interest: Interest;
  /** Known subfolders are listed as well, not only new ones. */
  readonly everything: boolean;
  /** Names that are subfolders now. */
  readonly folders: Set<string>;
  /** Names that are files now, to be looked at. */
  readonly files: Set<string>;
  /** The same, for names that may be links. */
  readonly links: Set<string>;
}

type Kind = Pick<
  Stats,
  "isDirectory" | "isFile" | "isFIFO" | "isSocket" | "isCharacterDevice" | "isBlockDevice"
>;

/** Lists `node`; what is to be done with its entries is put into the pass. */
export function listFolder(pass: Pass, node: FolderNode, deep: boolean): void {
  const { index } = pass;
  const interest = pass.territory.interest(node.path);
  const stats = statOrCode(node.real);
  if (interest === undefined || (typeof stats === "string" ? isGone(stats) : !stats.isDirectory())) {
    // What a vanished top means is for the first stage to judge.
    if (node.parent !== undefined || interest === undefined) index.removeFolder(node, pass.changes);
    return;
  }
  if (typeof stats === "string") {
    couldNotList(pass, node, stats);
    return;
  }
  const identity = folderIdentity(stats);
  const listing: Listing = {
    node,
    interest,
    everything: deep || node.identity !== identity,
    folders: new Set(),
    files: new Set(),
    links: new Set(),
  };
  if (node.identity !== identity && Date.now() - stats.mtimeMs < freshMs) pass.fresh.push(node.path);
  index.identify(node, identity, node.real);
  node.listed = isYoung(stats, Date.now()) ? undefined : { mtimeMs: stats.mtimeMs, ctimeMs: stats.ctimeMs };
  const entries = interest.suffixes.length > 0 ? entriesOf(node) : [];
  if (typeof entries === "string") {
    couldNotList(pass, node, entries);
    return;
  }
  node.skipped.clear();
  const allStay = isNoneMissing(node, entries, pass.territory.edition);
  node.edition = pass.territory.edition;
  for (const entry of entries) if (!allStay || !isKnownFile(node, entry)) sortEntry(pass, listing, entry);
  // Where nothing but single files matters, the folder may be huge and is not listed at all.
  const { folders, files, links } = listing;
  if (interest.suffixes.length === 0) for (const name of interest.names) links.add(name);
  dropFiles(pass, node, (name) => files.has(name) || links.has(name) || (allStay && node.files.has(name)));
  dropFolders(pass, node, folders);
  if (allStay) addLook(pass, { node, names: [...node.files.keys()], link: false, force: false });
  addLook(pass, { node, names: [...files], link: false, force: false });
  addLook(pass, { node, names: [...links], link: true, force: false });
}

/** True when every file that is known is still one: as a rule, and then none of them has to be judged by its name. */
function isNoneMissing(node: FolderNode, entries: readonly Dirent[], edition: number): boolean {
  if (node.edition !== edition) return false;
  let known = 0;
  for (const entry of entries) if (isKnownFile(node, entry)) known += 1;
  return known === node.files.size;
}

function isKnownFile(node: FolderNode, entry: Dirent): boolean {
  return entry.isFile() && node.files.has(entry.name);
}

function entriesOf(node: FolderNode): Dirent[] | string {
  try {
    return readdirSync(node.real, { withFileTypes: true });
  } catch (error) {
    return errorCode(error);
  }
}

/** A folder that exists and cannot be listed: without the right to, its files are gone, otherwise they stay for now. */
function couldNotList(pass: Pass, node: FolderNode, code: string): void {
  node.skipped.set("", code);
  node.listed = undefined;
  if (isLasting(code)) {
    dropFiles(pass, node, () => false);
    dropFolders(pass, node, new Set());
  } else lookAgain(pass, node.path, failedAgainMs);
}

function dropFiles(pass: Pass, node: FolderNode, stays: (name: string) => boolean): void {
  for (const name of node.files.keys()) if (!stays(name)) pass.index.removeFile(node, name, pass.changes);
  for (const name of node.unfinished.keys()) if (!stays(name)) node.unfinished.delete(name);
}

function dropFolders(pass: Pass, node: FolderNode, found: ReadonlySet<string>): void {
  for (const [name, child] of node.folders)
    if (!found.has(name)) pass.index.removeFolder(child, pass.changes);
}

/** Decides what an entry is to be. */
function sortEntry(pass: Pass, listing: Listing, entry: Dirent): void {
  const { node, interest } = listing;
  const { name } = entry;
  const link = entry.isSymbolicLink();
  const candidate = pass.territory.isCandidate(interest, node.path, name);
  let kind: Kind = entry;
  if (link) {
    const target = statOrCode(pathIn(node.real, name));
    if (typeof target === "string") {
      // It may lead to a folder later: what is skipped, every sweep comes back to.
      const matters = candidate || pass.territory.enters(interest, node.path, name);
      if (matters) node.skipped.set(name, isGone(target) ? "symbolic link to nothing" : target);
      return;
    }
    kind = target;
  }
  if (kind.isDirectory()) {
    if (pass.territory.enters(interest, node.path, name)) enterFolder(pass, listing, name, link);
  } else if (candidate && kind.isFile()) {
    (link ? listing.links : listing.files).add(name);
  } else if (candidate) {
    node.skipped.set(name, oddKind(kind));
  }
}

/** Takes a subfolder in, and has it listed when it is new or another one than before. */
function enterFolder(pass: Pass, { node, everything, folders }: Listing, name: string, link: boolean): void {
  const via = pathIn(node.real, name);
  const known = node.folders.get(name);
  if (everything && !link && known?.real === via) {
    // It is listed in any case, and asked then whether it is the same folder.
    folders.add(name);
    pass.toList.set(known, true);
    return;
  }
  const stats = statOrCode(via);
  if (typeof stats === "string") {
    if (isGone(stats)) return;
    folders.add(name);
    node.skipped.set(name, stats);
    return;
  }
  const identity = folderIdentity(stats);
  const reason = whyNotEnter(node, identity, link);
  const real = link ? realPathOf(via) : via;
  if (reason !== undefined || real === undefined) {
    if (reason !== undefined) node.skipped.set(name, reason);
    return;
  }
  folders.add(name);
  const child = pass.index.addFolder(pathIn(node.path, name), node, real);
  const replaced = child.identity !== identity || child.real !== real;
  if (replaced) pass.index.identify(child, undefined, real);
  if (everything || replaced) pass.toList.set(child, true);
}

function whyNotEnter(parent: FolderNode, identity: string, link: boolean): string | undefined {
  let levels = 0;
  for (let at: FolderNode | undefined = parent; at !== undefined; at = at.parent) {
    if (link && at.identity === identity) return "loop of symbolic links";
    levels += 1;
  }
  return levels > deepestLevel ? `more than ${deepestLevel} folders deep` : undefined;
}
