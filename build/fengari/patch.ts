/** Writes the edited copy of Fengari that `#fengari` maps to. */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyEdits, type Edit, EditError } from "./edit.ts";
import { faceOf } from "./faces.ts";

/** What the copy is made of. */
export interface Patch {
  /** The version that the edits were written for. */
  readonly version: string;
  readonly edits: readonly Edit[];
  /** Folder of files that are added to Fengari's own; the edits `require` them. */
  readonly added: string;
  /** Files, without their ending, whose exports are wanted as ES modules as well. */
  readonly faces: readonly string[];
}

/**
 * Applies the patch to the Fengari package in the folder `from` and writes the result to the folder `to`; returns
 * the number of files written. Computes everything before it writes anything; files that are right already are
 * left alone. Throws EditError when the package has another version, or an edit does not fit.
 */
export function patchFengari(from: string, to: string, patch: Patch): number {
  checkVersion(from, patch.version);
  const sources = join(from, "src");
  const names = readdirSync(sources).filter((name) => name.endsWith(".js"));
  const astray = patch.edits.find((edit) => !names.includes(edit.file));
  if (astray !== undefined) throw new EditError(`fengari/src/${astray.file}: no such file (${astray.why})`);

  const wanted = new Map<string, string>();
  const problems: string[] = [];
  for (const name of names) {
    const own = patch.edits.filter((edit) => edit.file === name);
    try {
      wanted.set(name, applyEdits(name, readFileSync(join(sources, name), "utf8"), own));
    } catch (error) {
      if (!(error instanceof EditError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new EditError(problems.join("\n"));
  for (const face of patch.faces) wanted.set(`${face}.mjs`, faceOf(face, wanted.get(`${face}.js`) ?? ""));
  for (const name of readdirSync(patch.added))
    wanted.set(name, readFileSync(join(patch.added, name), "utf8"));
  // The package is not installed with Relua: what is taken from it brings its terms along.
  wanted.set("LICENSE", readFileSync(join(from, "LICENSE"), "utf8"));
  // Relua is an ES module package, Fengari's files are CommonJS.
  wanted.set("package.json", '{"type":"commonjs"}\n');

  mkdirSync(to, { recursive: true });
  let written = 0;
  // Added files first: an edited file that needs one must never stand there without it.
  for (const [name, text] of [...wanted].reverse()) if (writeIfOther(join(to, name), text)) written += 1;
  for (const name of readdirSync(to)) {
    if (!wanted.has(name) && !name.endsWith(".tmp")) rmSync(join(to, name), { recursive: true });
  }
  return written;
}

function checkVersion(from: string, version: string): void {
  const installed = JSON.parse(readFileSync(join(from, "package.json"), "utf8")) as { version?: unknown };
  if (installed.version !== version) {
    throw new EditError(`fengari is ${String(installed.version)}, but the edits are for ${version}: npm ci`);
  }
}

function writeIfOther(path: string, text: string): boolean {
  if (readOrUndefined(path) === text) return false;
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  // Another process may be loading the file: it must see the old or the new one, never a part.
  renameSync(temporary, path);
  return true;
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
