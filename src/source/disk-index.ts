/** What is known about the disk: folders, their files with identity, hash and content. Never touches the disk. */

import { basename, dirname } from "node:path";
import type { SourceFile } from "../core/manifest.ts";
import type { SkippedPath } from "../core/status.ts";
import type { Changes } from "./changes.ts";
import { ContentTable } from "./contents.ts";
import type { FileIdentity } from "./stat-identity.ts";
import { pathIn } from "./territory.ts";

/** A file as it was read last. */
export interface FileEntry {
  readonly source: SourceFile;
  /** Undefined: it may have changed without a trace in `stat`, so the next look hashes it. */
  identity: FileIdentity | undefined;
}

/** A folder that is walked, or that single files are in. */
export interface FolderNode {
  /** Lexical path. */
  readonly path: string;
  readonly parent: FolderNode | undefined;
  /** Real path; the folder is read and watched under this one. */
  real: string;
  /** Undefined: not listed yet, or to be listed anew with everything below. */
  identity: string | undefined;
  /** mtime and ctime at the last listing; undefined when too young to tell. */
  listed: { readonly mtimeMs: number; readonly ctimeMs: number } | undefined;
  /** The edition of the territory by which the last listing judged names. */
  edition: number | undefined;
  readonly files: Map<string, FileEntry>;
  readonly folders: Map<string, FolderNode>;
  /** Files that differ and are not read yet, since somebody is writing to them; since when, by name. */
  readonly unfinished: Map<string, number>;
  /** Reasons by name; the empty name stands for the folder itself. */
  readonly skipped: Map<string, string>;
}

/** Folders and files by lexical path. */
export class DiskIndex {
  readonly contents = new ContentTable();
  readonly #folders = new Map<string, FolderNode>();
  #files = 0;
  #version = 0;

  get fileCount(): number {
    return this.#files;
  }

  get folderCount(): number {
    return this.#folders.size;
  }

  /** Grows whenever a folder, its identity or a link could have changed: what is watched must follow. */
  get foldersVersion(): number {
    return this.#version;
  }

  folder(path: string): FolderNode | undefined {
    return this.#folders.get(path);
  }

  folders(): IterableIterator<FolderNode> {
    return this.#folders.values();
  }

  file(path: string): FileEntry | undefined {
    return this.#folders.get(dirname(path))?.files.get(basename(path));
  }

  skipped(): SkippedPath[] {
    const skipped: SkippedPath[] = [];
    for (const node of this.#folders.values()) {
      for (const [name, reason] of node.skipped) {
        skipped.push({ path: name === "" ? node.path : pathIn(node.path, name), reason });
      }
    }
    return skipped;
  }

  /** The node of `path`, made when there is none. */
  addFolder(path: string, parent: FolderNode | undefined, real: string): FolderNode {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const node: FolderNode = {
      path,
      parent,
      real,
      identity: undefined,
      listed: undefined,
      edition: undefined,
      files: new Map(),
      folders: new Map(),
      unfinished: new Map(),
      skipped: new Map(),
    };
    this.#folders.set(path, node);
    parent?.folders.set(basename(path), node);
    this.#version += 1;
    return node;
  }

  /** Says that a folder is now another one than before. */
  identify(node: FolderNode, identity: string | undefined, real: string): void {
    if (node.identity === identity && node.real === real) return;
    node.identity = identity;
    node.real = real;
    this.#version += 1;
  }

  /** Forgets a folder with everything below. */
  removeFolder(node: FolderNode, changes: Changes): void {
    for (const child of [...node.folders.values()]) this.removeFolder(child, changes);
    for (const name of [...node.files.keys()]) this.removeFile(node, name, changes);
    this.#folders.delete(node.path);
    if (node.parent?.folders.get(basename(node.path)) === node)
      node.parent.folders.delete(basename(node.path));
    this.#version += 1;
  }

  setFile(node: FolderNode, name: string, entry: FileEntry, changes: Changes): void {
    const was = node.files.get(name);
    node.skipped.delete(name);
    changes.note(entry.source.path, was?.source, entry.source);
    this.contents.acquire(entry.source.hash, entry.source.content);
    node.files.set(name, entry);
    if (was === undefined) this.#files += 1;
    if (isElsewhere(node, entry) || (was !== undefined && isElsewhere(node, was))) this.#version += 1;
  }

  removeFile(node: FolderNode, name: string, changes: Changes): void {
    const was = node.files.get(name);
    if (was === undefined) return;
    changes.note(was.source.path, was.source, undefined);
    node.files.delete(name);
    this.#files -= 1;
  }
}

/** True for a file that the folder has a link to. */
function isElsewhere(node: FolderNode, { source: { path, file } }: FileEntry): boolean {
  return !(path === file && node.path === node.real) && dirname(file) !== node.real;
}
