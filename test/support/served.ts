/** The built command, serving a folder as a user would start it: waits for the ready line, stops by signal. */

import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { folderWith, Relua, write } from "../cli/relua.ts";

const repository = join(import.meta.dirname, "../..");

/** A running `relua serve`. */
export class Served {
  readonly folder: string;
  readonly command: Relua;
  readonly line: string;

  private constructor(folder: string, command: Relua, line: string) {
    this.folder = folder;
    this.command = command;
    this.line = line;
  }

  /** Starts it in `folder` with the `watch.config.ts` there. */
  static async start(folder: string): Promise<Served> {
    const command = new Relua(["serve"], { cwd: folder });
    const [line] = await command.untilOut(/^relua \S+ ready in .*$/m);
    return new Served(folder, command, line);
  }

  /** Address of the data plane's first server. */
  get url(): string {
    return this.#address(/: (http:\/\/[^\s,]+)/);
  }

  get control(): string {
    return this.#address(/control (http:\/\/[^\s,]+)/);
  }

  /** Number of VMs. */
  get vms(): number {
    return Number(/(\d+) VMs?\b/.exec(this.line)?.[1]);
  }

  write(name: string, text: string): void {
    write(this.folder, name, text);
  }

  /** Replaces text in a file, as somebody who edits it. */
  edit(name: string, from: string, to: string): void {
    const text = readFileSync(join(this.folder, name), "utf8");
    expect(text).toContain(from);
    this.write(
      name,
      text.replace(from, () => to),
    );
  }

  /** SIGTERM; expects it to drain and to exit with 0. */
  async stop(): Promise<void> {
    this.command.signal("SIGTERM");
    expect(await this.command.exit).toBe(0);
  }

  #address(pattern: RegExp): string {
    const address = pattern.exec(this.line)?.[1];
    if (address === undefined) throw new Error(`no address in ${this.line}`);
    return address;
  }
}

/** Serves these files with this `watch.config.ts`, an object literal; ports and search path are given. */
export function serveFiles(files: Readonly<Record<string, string>>, config: string): Promise<Served> {
  return Served.start(
    folderWith({
      ...files,
      "watch.config.ts": `export default { luaPackagePath: "$prefix/?.lua;$prefix/?/init.lua", threads: 2,
        control: { listen: "127.0.0.1:0" }, ...${config} };\n`,
    }),
  );
}

/** One server on a free port with these locations: path → `content_by`. */
export function serversWith(locations: Readonly<Record<string, string>>): string {
  const served = Object.entries(locations).map(([location, code]) => ({
    location,
    lua: { content_by: code },
  }));
  return JSON.stringify([{ listens: ["127.0.0.1:0"], serverNames: [""], locations: served }]);
}

/** Serves a copy of the repository's own `watch.config.ts` and `apps/`, on free ports; `more` is added to the config. */
export function serveRepository(more = ""): Promise<Served> {
  const config = readFileSync(join(repository, "watch.config.ts"), "utf8")
    .replace(/127\.0\.0\.1:808\d/g, "127.0.0.1:0")
    .replace(/^};$/m, `${more}\n};`);
  const folder = folderWith({ "watch.config.ts": config });
  cpSync(join(repository, "apps"), join(folder, "apps"), { recursive: true });
  return Served.start(folder);
}
