/** What a module may come to depend on, by its text alone: an upper bound of what a commit may evict. */

import { posix } from "node:path";
import type { Files } from "../../../src/core/change-set.ts";
import { allNames, type Content, luaTemplates } from "./tree-edits.ts";

/** What a file said, by the hash of its bytes. */
export type Contents = (hash: string) => { readonly version: number; readonly content: Content } | undefined;

/** The disk of one generation, as a reader of the texts sees it. */
export class MayDepend {
  readonly #root: string;
  readonly #files: Files;
  readonly #contents: Contents;
  readonly #namesOfFile = new Map<string, string[]>();
  readonly #namesOfVersion = new Map<number, string[]>();

  constructor(root: string, files: Files, contents: Contents) {
    this.#root = root;
    this.#files = files;
    this.#contents = contents;
    for (const name of allNames) {
      const hit = this.#hit(name);
      const file = hit && files.get(hit);
      if (!file) continue;
      append(this.#namesOfFile, file.file, name);
      const version = contents(file.hash)?.version;
      if (version !== undefined) append(this.#namesOfVersion, version, name);
    }
  }

  /** Whether a change at these paths may concern the module: what it is, requires, or shares its file with. */
  mayConcern(name: string, changed: ReadonlySet<string>): boolean {
    const nodes = new Set([name]);
    for (const node of nodes) {
      if (node.startsWith("/")) {
        if (changed.has(node)) return true;
        this.#addContent(node, nodes);
        continue;
      }
      const registered = /^registered (\d+)$/.exec(node);
      for (const owner of this.#namesOfVersion.get(Number(registered?.[1])) ?? []) nodes.add(owner);
      for (const path of this.#candidates(node)) {
        if (changed.has(path)) return true;
        if (!this.#files.has(path)) continue;
        this.#addContent(path, nodes);
        for (const other of this.#namesOfFile.get(this.#files.get(path)!.file) ?? []) nodes.add(other);
        break;
      }
    }
    return false;
  }

  #addContent(path: string, nodes: Set<string>): void {
    const content = this.#contents(this.#files.get(path)?.hash ?? "")?.content;
    if (!content) return;
    for (const names of [content.hard, content.soft, content.coroutine, content.lazy])
      for (const name of names) nodes.add(name);
    for (const n of content.dynamic) nodes.add(`p.q${n}`);
    for (const files of [content.dofile, content.loadfile, content.lazyDofile])
      for (const file of files) nodes.add(posix.join(this.#root, file));
  }

  #hit(name: string): string | undefined {
    return this.#candidates(name).find((path) => this.#files.has(path));
  }

  #candidates(name: string): readonly string[] {
    return luaTemplates.map((template) =>
      posix.join(this.#root, template.replace("?", name.replaceAll(".", "/"))),
    );
  }
}

function append<K>(map: Map<K, string[]>, key: K, value: string): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}
