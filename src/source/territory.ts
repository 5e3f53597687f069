/** Which paths can be modules: what the roots, the single files and the ignore rules say, without asking the disk. */

import { basename, dirname, resolve } from "node:path";
import type { SourceOptions } from "./contract.ts";
import { compileIgnore, isIgnoredFolder, isTemporaryFile } from "./ignore-rules.ts";

/** What is of interest directly in one folder. */
export interface Interest {
  /** Endings of paths that can be modules. Empty: only `names` matter, and subfolders are not entered. */
  readonly suffixes: readonly string[];
  /** Names of single files here; no rule ignores them. */
  readonly names: ReadonlySet<string>;
}

/** A folder where walking starts. */
export interface Top {
  readonly folder: string;
  /** True for a root of the search path; false for a folder that is known only for single files in it. */
  readonly root: boolean;
}

/** `folder/name`, also below `/`. */
export function pathIn(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

const noNames: ReadonlySet<string> = new Set();

/** The watched part of the disk, by lexical paths. */
export class Territory {
  readonly #ignored: (path: string) => boolean;
  readonly #suffixes = new Map<string, readonly string[]>();
  #names = new Map<string, Set<string>>();
  #tops: readonly Top[] = [];
  #edition = 0;

  constructor(options: Pick<SourceOptions, "roots" | "files" | "ignore">) {
    this.#ignored = compileIgnore(options.ignore);
    for (const { folder: given, suffixes } of options.roots) {
      const folder = resolve(given);
      this.#suffixes.set(folder, [...new Set([...(this.#suffixes.get(folder) ?? []), ...suffixes])]);
    }
    this.setFiles(options.files);
  }

  /** Replaces the single files. */
  setFiles(files: readonly string[]): void {
    this.#edition += 1;
    this.#names = new Map();
    for (const given of files) {
      const file = resolve(given);
      const folder = dirname(file);
      const names = this.#names.get(folder) ?? new Set();
      this.#names.set(folder, names.add(basename(file)));
    }
    const roots = [...this.#suffixes.keys()].filter((folder) => !this.#isReached(folder));
    const hosts = [...this.#names.keys()].filter((folder) => this.#suffixesIn(folder).length === 0);
    this.#tops = [
      ...roots.map((folder) => ({ folder, root: true })),
      ...hosts.map((folder) => ({ folder, root: false })),
    ];
  }

  /** Grows when what was a candidate may be none any more. */
  get edition(): number {
    return this.#edition;
  }

  /** Folders where walking starts; every other folder of interest is below one of them. */
  tops(): readonly Top[] {
    return this.#tops;
  }

  /** The roots' folders, each once. */
  rootFolders(): readonly string[] {
    return [...this.#suffixes.keys()];
  }

  /** What matters directly in `folder`, or undefined when nothing can. */
  interest(folder: string): Interest | undefined {
    const suffixes = this.#suffixesIn(folder);
    const names = this.#names.get(folder) ?? noNames;
    return suffixes.length > 0 || names.size > 0 ? { suffixes, names } : undefined;
  }

  /** True when `name` in `folder` can be a module, judging by its path alone. */
  isCandidate(interest: Interest, folder: string, name: string): boolean {
    if (interest.names.has(name)) return true;
    const path = pathIn(folder, name);
    return (
      interest.suffixes.some((suffix) => path.endsWith(suffix)) &&
      !isTemporaryFile(name) &&
      !this.#ignored(path)
    );
  }

  /** True when the subfolder `name` of a folder of interest is walked as well. */
  enters(interest: Interest, folder: string, name: string): boolean {
    if (interest.suffixes.length === 0) return false;
    return this.#suffixes.has(pathIn(folder, name)) || !this.#isIgnored(pathIn(folder, name));
  }

  /** True when a walk from a folder above gets here. */
  #isReached(folder: string): boolean {
    return folder !== "/" && !this.#isIgnored(folder) && this.#suffixesIn(dirname(folder)).length > 0;
  }

  #isIgnored(folder: string): boolean {
    return isIgnoredFolder(basename(folder)) || this.#ignored(folder);
  }

  /** Endings of all roots whose walk gets to `folder`. */
  #suffixesIn(folder: string): readonly string[] {
    const own = this.#suffixes.get(folder) ?? [];
    if (folder === "/" || this.#isIgnored(folder)) return own;
    const inherited = this.#suffixesIn(dirname(folder));
    if (own.length === 0 || inherited.length === 0) return own.length === 0 ? inherited : own;
    return [...new Set([...inherited, ...own])];
  }
}
