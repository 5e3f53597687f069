/** Third stage of a pass: looks at the files, and reads those that are new or differ. */

import type { FolderNode } from "./disk-index.ts";
import { failedAgainMs, forgetFile, type Look, lookAgain, type Pass, realPathOf } from "./pass.ts";
import { readContent } from "./read-content.ts";
import { fileIdentity, isGone, isLasting, isYoung, oddKind, sameFile, statOrCode } from "./stat-identity.ts";
import { pathIn } from "./territory.ts";
import { judgeWriting } from "./unfinished.ts";

const youngAgainMs = 60;
/** A file that somebody is writing to is looked at again after this, or with the pass after the quiet. */
const unfinishedAgainMs = 50;
/** A file that somebody is writing to is tried again this often, with such a pause between, then taken as it is. */
const unstableRounds = 20;
const unstablePauseMs = 5;

/** Files that `stat` shows to be unchanged, between two places where the pass can be interrupted. */
const unchangedPerTurn = 20;

/** Looks at everything the pass has collected. Yields pauses in milliseconds. */
export function* readFiles(pass: Pass, progress: (done: number, total: number) => void): Generator<number> {
  let looks: readonly Look[] = pass.looks;
  let done = 0;
  let unchanged = 0;
  for (let round = 0; looks.length > 0; round += 1) {
    const unstable: Look[] = [];
    let pauseMs = 0;
    for (const look of looks) {
      const { node } = look;
      // Otherwise it went away with everything below while the others were being listed.
      const isThere = pass.index.folder(node.path) === node;
      for (const name of look.names) {
        const verdict = isThere ? readFile(pass, look, name, round === unstableRounds) : "done";
        if (verdict === "done" || verdict === "unchanged") node.unfinished.delete(name);
        if (typeof verdict === "object") {
          unstable.push(verdict.look);
          pauseMs = Math.max(pauseMs, verdict.afterMs);
        } else done += 1;
        if (verdict === "unchanged" && ++unchanged % unchangedPerTurn > 0) continue;
        progress(done, pass.filesToLook);
        yield 0;
      }
    }
    looks = unstable;
    if (unstable.length > 0) yield pauseMs;
  }
}

/**
 * What became of a look: `stat` shows no change, nothing is left to do, the file is left alone for now, or it must be
 * looked at once more.
 */
type Verdict = "unchanged" | "done" | "left" | { readonly look: Look; readonly afterMs: number };

/** Looks at one file. */
function readFile(pass: Pass, look: Look, name: string, last: boolean): Verdict {
  const { node } = look;
  const via = pathIn(node.real, name);
  const known = node.files.get(name);
  // A new file that the listing calls one must be read in any case: at start, that spares every other system call.
  if (known === undefined && !look.link && pass.writingMs === undefined && !pass.defer())
    return take(pass, look, name, via, last);
  const stats = statOrCode(via);
  if (typeof stats === "string") return couldNotRead(pass, look, name, stats);
  if (!stats.isFile()) return skip(pass, look, name, oddKind(stats));
  const file = look.link ? realPathOf(via) : via;
  if (file === undefined) return couldNotRead(pass, look, name, "ENOENT");
  const unchanged = known?.identity !== undefined && sameFile(known.identity, stats);
  if (unchanged && !look.force && known.source.file === file) return "unchanged";
  if (pass.defer()) {
    lookAgain(pass, node.path, 0);
    return "left";
  }
  if (pass.writingMs !== undefined) {
    const { writingMs } = pass;
    const sinceMs = node.unfinished.get(name);
    const writing = judgeWriting(stats, { earlier: look.earlier, sinceMs, writingMs }, Date.now());
    if (writing === "unsure") {
      const earlier = fileIdentity(stats);
      return { look: { ...look, names: [name], earlier }, afterMs: writingMs };
    }
    if (writing === "unfinished") return leaveUnfinished(pass, node, name);
  }
  return take(pass, look, name, file, last);
}

/** Reads one file, whatever is known of it. */
function take(pass: Pass, look: Look, name: string, file: string, last: boolean): Verdict {
  const { node } = look;
  const known = node.files.get(name);
  const result = readContent(file, pass.maxFileBytes, pass.arena, pass.index.contents);
  if (result.kind === "error") return couldNotRead(pass, look, name, result.code);
  if (result.kind === "skipped") return skip(pass, look, name, result.reason);
  if (!result.stable && !last)
    return { look: { ...look, names: [name], force: true }, afterMs: unstablePauseMs };
  const settled = result.stable && !isYoung(result.identity, Date.now());
  if (!settled) lookAgain(pass, node.path, youngAgainMs);
  const { hash, content } = result;
  const identity = settled ? result.identity : undefined;
  node.skipped.delete(name);
  if (known?.source.hash === hash && known.source.file === file) {
    known.identity = identity;
  } else {
    // One text where both are equal: what is known of a file is mostly its paths.
    const path = node.path === node.real && !look.link ? file : pathIn(node.path, name);
    const source = { path, file, hash, content };
    pass.index.setFile(node, name, { source, identity }, pass.changes);
  }
  return "done";
}

/** What is known of the file goes on to count; a later look takes what it has become. */
function leaveUnfinished(pass: Pass, node: FolderNode, name: string): "left" {
  node.unfinished.set(name, node.unfinished.get(name) ?? Date.now());
  pass.writing.add(node);
  lookAgain(pass, node.path, unfinishedAgainMs);
  return "left";
}

function couldNotRead(pass: Pass, look: Look, name: string, code: string): "done" {
  const { node } = look;
  if (isGone(code)) {
    // Listed, and not there under that name: the name as Node spells it is not the one on the disk.
    if (name.includes("\ufffd")) return skip(pass, look, name, "name is not UTF-8");
    forgetFile(pass, pathIn(node.path, name));
    return "done";
  }
  if (isLasting(code)) return skip(pass, look, name, code);
  node.skipped.set(name, code);
  lookAgain(pass, node.path, failedAgainMs);
  return "done";
}

function skip(pass: Pass, { node }: Look, name: string, reason: string): "done" {
  pass.index.removeFile(node, name, pass.changes);
  node.skipped.set(name, reason);
  return "done";
}
