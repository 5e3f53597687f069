/** Folders full of Lua modules, as alike to a real tree as a question needs them. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Modules in one folder. */
const perFolder = 20;

/** Digits of a version: all answers have the same length. */
const versionDigits = 6;

export class Tree {
  /** `$prefix`, absolute. */
  readonly prefix = mkdtempSync(join(tmpdir(), "relua-bench-"));
  /** Bytes of all modules. */
  bytes = 0;
  readonly #bytesOfModule: number;

  /** A tree of `modules` modules of about `bytesOfModule` bytes, all at version 0. */
  constructor(modules: number, bytesOfModule = 2_000) {
    this.#bytesOfModule = bytesOfModule;
    for (let folder = 0; folder * perFolder < modules; folder++)
      mkdirSync(join(this.prefix, "apps", `f${folder}`), { recursive: true });
    mkdirSync(join(this.prefix, "apps"), { recursive: true });
    for (let module = 0; module < modules; module++) this.write(module, 0);
    this.bytes = modules === 0 ? 0 : modules * Buffer.byteLength(this.source(0, 0));
  }

  /** `f0.m7`. */
  name(module: number): string {
    return `f${Math.floor(module / perFolder)}.m${module}`;
  }

  path(module: number): string {
    return join(this.prefix, "apps", `f${Math.floor(module / perFolder)}`, `m${module}.lua`);
  }

  /** Further files, by their paths below `apps/`. */
  add(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) writeFileSync(join(this.prefix, "apps", path), text);
  }

  write(module: number, version: number): void {
    writeFileSync(this.path(module), this.source(module, version));
  }

  /** A module with a `version()`, the VM's `where()`, and functions as they are found in applications. */
  source(module: number, version: number): string {
    const head = `local M = {}
function M.version() return "${digits(version)}" end
function M.where() return ngx.worker.id() .. " ${digits(version)}" end
function M.empty() end
`;
    const lines: string[] = [head];
    let bytes = head.length;
    for (let index = 0; bytes < this.#bytesOfModule - 20; index++) {
      const line = `local function step${index}(items, limit)
  local sum = ${module + index}
  for i = 1, #items do
    local item = items[i]
    if item.price and item.price > limit then sum = sum + item.price * ${index + 1} else sum = sum - 1 end
  end
  return sum, { name = "m${module}.step${index}", limit = limit }
end
M.step${index} = step${index}
`;
      lines.push(line);
      bytes += line.length;
    }
    return `${lines.join("")}return M\n`;
  }

  remove(): void {
    rmSync(this.prefix, { recursive: true, force: true });
  }
}

/** A version as modules answer it. */
export function digits(version: number): string {
  return `${version}`.padStart(versionDigits, "0");
}
