/** Tells whether git is in the middle of changing the work tree that a folder is in. */

import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { statOrCode } from "./stat-identity.ts";

/** A lock that has been lying there for so long was left by a git that was killed. */
const abandonedMs = 60_000;

/** True while `.git/index.lock` of the repository around `folder` exists: checkout, stash, merge, pull, …. */
export function isGitAtWork(folder: string, nowMs: number): boolean {
  const git = gitFolderOf(folder);
  if (git === undefined) return false;
  const lock = statOrCode(join(git, "index.lock"));
  return typeof lock !== "string" && nowMs - lock.mtimeMs < abandonedMs;
}

function gitFolderOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const git = join(at, ".git");
    const stats = statOrCode(git);
    if (typeof stats !== "string") return stats.isDirectory() ? git : linkedGitFolder(at, git);
    if (at === dirname(at)) return undefined;
  }
}

/** `.git` of a linked work tree or a submodule is a file: `gitdir: PATH`. */
function linkedGitFolder(folder: string, file: string): string | undefined {
  try {
    const target = /^gitdir: (.+)$/m.exec(readFileSync(file, "utf8"))?.[1];
    return target === undefined ? undefined : resolve(folder, target);
  } catch {
    return undefined;
  }
}
