/** Names and files: where the search for a name ends and what it passes, and which names lead to a file. */

import type { Files } from "./change-set.ts";
import {
  candidates,
  canonicalName,
  type FileName,
  namesOf,
  resolve,
  type SearchPath,
} from "./search-path.ts";

/** What is at the end of a name, or of a path. */
export interface Resolution {
  /** As the search path forms it; undefined where nothing was found. */
  readonly path: string | undefined;
  /** Its canonical real path; undefined where nothing is at `path`. */
  readonly file: string | undefined;
  /** Of its content. */
  readonly hash: string | undefined;
  /** Of a name: paths that the search tried before and missed, in order. */
  readonly probes: readonly string[];
  /** Of a name: files that answer to it as well, behind the one that does; in the order of the search. */
  readonly shadowed: readonly string[];
  /** Every name that leads to the file, through any of its paths; also those with which another file answers. */
  readonly names: readonly FileName[];
}

export function resolveName(searchPath: SearchPath, known: KnownFiles, name: string): Resolution {
  const { files } = known;
  const { path, probes } = resolve(searchPath, name, (candidate) => files.has(candidate));
  if (path === undefined) return { path, file: undefined, hash: undefined, probes, shadowed: [], names: [] };
  const tried = candidates(searchPath, name).map((candidate) => candidate.path);
  const behind = tried.slice(tried.indexOf(path) + 1).filter((other) => other !== path && files.has(other));
  const at = resolvePath(searchPath, known, path);
  // A template without ? leads every name here: there is no list of those.
  const isListed = at.names.some((known) => known.name === canonicalName(name));
  return {
    ...at,
    probes,
    shadowed: [...new Set(behind)],
    names: isListed ? at.names : [{ name }, ...at.names],
  };
}

/** @param path absolute; as the search path forms it, or real */
export function resolvePath(searchPath: SearchPath, known: KnownFiles, path: string): Resolution {
  const { files } = known;
  const paths = known.pathsOf(path);
  const names = new Map<string, FileName>();
  for (const each of paths)
    for (const found of namesOf(searchPath, each, (other) => files.has(other)))
      if (names.get(found.name)?.shadowedBy !== undefined || !names.has(found.name))
        names.set(found.name, found);
  const [first = path] = paths;
  const source = files.get(first);
  return {
    path: first,
    file: source?.file,
    hash: source?.hash,
    probes: [],
    shadowed: [],
    names: [...names.values()],
  };
}

/** Files by path, and by what lies behind their paths. */
export interface KnownFiles {
  readonly files: Files;
  /** Every path that leads to the file at `path`, that one first where it is one; itself alone where nothing is known there. */
  pathsOf(path: string): readonly string[];
}

/** Looks through all files once, when it is first asked for paths; they must not change meanwhile. */
export function knownFiles(files: Files): KnownFiles {
  let linked: Map<string, string[]> | undefined;
  const behindLinks = () => {
    const found = new Map<string, string[]>();
    for (const [path, { file }] of files)
      if (file !== path) found.set(file, [...(found.get(file) ?? []), path]);
    return found;
  };
  return {
    files,
    pathsOf(path) {
      linked ??= behindLinks();
      const real = files.get(path)?.file ?? path;
      const paths = [real, ...(linked.get(real) ?? [])].filter((each) => files.has(each) && each !== path);
      return files.has(path) || paths.length === 0 ? [path, ...paths] : paths;
    },
  };
}
