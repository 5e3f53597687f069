/** Writes the edited copy of Fengari that `#fengari` maps to. */

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyEdits, type Edit, EditError } from "./edit.ts";

export interface PatchResult {
  /** Files that were not already as they should be. */
  readonly written: number;
  readonly edits: number;
}

/**
 * Applies `edits` to the Fengari package in the folder `from` and writes the result to the folder `to`.
 * Computes everything before it writes anything; files that are right already are left alone.
 * Throws EditError when the package has another version than `version`, or an edit does not fit.
 */
export function patchFengari(from: string, to: string, version: string, edits: readonly Edit[]): PatchResult {
  checkVersion(from, version);
  const sources = join(from, "src");
  const files = readdirSync(sources).filter((file) => file.endsWith(".js"));
  const astray = edits.find((edit) => !files.includes(edit.file));
  if (astray !== undefined) throw new EditError(`fengari/src/${astray.file}: no such file (${astray.why})`);

  const patched = new Map(
    files.map((file) => {
      const text = readFileSync(join(sources, file), "utf8");
      return [
        file,
        applyEdits(
          file,
          text,
          edits.filter((edit) => edit.file === file),
        ),
      ];
    }),
  );
  // Relua is an ES module package, Fengari's files are CommonJS.
  patched.set("package.json", '{"type":"commonjs"}\n');

  mkdirSync(to, { recursive: true });
  let written = 0;
  for (const [file, text] of patched) if (writeIfOther(join(to, file), text)) written += 1;
  return { written, edits: edits.length };
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
