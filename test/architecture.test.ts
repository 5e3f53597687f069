/** The house (design.md): who may import whom, no circles, and how a file opens; checked on every file of src. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const src = join(import.meta.dirname, "../src");

/** Text by path relative to src. */
type Files = ReadonlyMap<string, string>;

interface Import {
  readonly from: string;
  /** Relative to src for files of the house, else as written: `zod`, `node:fs`, `#fengari`. */
  readonly to: string;
  /** `import type`: nothing is left of it at run time. */
  readonly typeOnly: boolean;
}

/** The part of `vm` that lives inside a thread, beside the Lua state. */
const threadSide = new Set(
  ["thread", "resident", "occupant", "work-floor", "hot-failures"].map((name) => `vm/${name}.ts`),
);

/** A room of the house: a folder, a part of one that has rules of its own, or a file beside the folders. */
function roomOf(path: string): string {
  if (threadSide.has(path)) return "vm (thread)";
  if (path === "source/contract.ts") return "source (contract)";
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : path;
}

const parts = [
  "core",
  "config",
  "source",
  "source (contract)",
  "lua",
  "ngx",
  "vm",
  "reload",
  "http",
  "observe",
  "check",
  "targets",
];

/** Which rooms each room may import, itself apart. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "errors.ts": [],
  core: ["errors.ts"],
  config: ["core", "errors.ts"],
  "source (contract)": ["core"],
  source: ["core", "errors.ts", "source (contract)"],
  lua: ["core", "errors.ts"],
  ngx: ["core", "errors.ts", "lua"],
  vm: ["core", "errors.ts"],
  "vm (thread)": ["core", "errors.ts", "lua", "ngx", "vm"],
  observe: ["core", "errors.ts"],
  reload: ["core", "errors.ts", "source (contract)"],
  http: ["core", "errors.ts", "reload", "observe"],
  check: ["core", "errors.ts"],
  targets: ["core", "errors.ts", "reload"],
  "vm-settings.ts": ["config", "vm"],
  "static-sources.ts": ["check", "core"],
  "host-side.ts": ["config", "core", "reload", "static-sources.ts", "targets"],
  "vm-fleet.ts": ["config", "core", "reload", "vm", "vm-settings.ts"],
  "web-front.ts": [...parts, "errors.ts"],
  "agent.ts": [...parts, "errors.ts", "host-side.ts", "static-sources.ts", "vm-fleet.ts", "web-front.ts"],
  "index.ts": ["agent.ts", "config", "core", "errors.ts", "reload"],
  cli: ["agent.ts", "check", "config", "core", "errors.ts", "observe", "source"],
};

/** Rooms that may import a package; those that are not listed may not be imported at all. */
const packages: Readonly<Record<string, readonly string[]>> = {
  "#fengari": ["lua", "ngx", "vm (thread)"],
  zod: ["core", "config", "http", "targets", "cli"],
  jiti: ["config"],
  chokidar: ["source"],
  "xxhash-wasm": ["source", "core"],
  piscina: ["vm"],
  hono: ["http"],
  "@hono/node-server": ["http"],
  luaparse: ["check"],
  "prom-client": ["observe"],
  yargs: ["cli"],
};

/** What core may have of Node: functions of their arguments alone. */
const pureNode = new Set(["node:path", "node:path/posix"]);

/** Lines of code in one file, comments and blank lines apart. */
const maxLines = 300;

function importsOf(path: string, text: string): readonly Import[] {
  const statements =
    /^(?:import|export)\b[^;"']*?\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;
  return [...text.matchAll(statements)].map(([statement, from, bare, dynamic]) => {
    const to = from ?? bare ?? dynamic!;
    return {
      from: path,
      to: to.startsWith(".") ? join(dirname(path), to) : to,
      typeOnly: /^(?:import|export)\s+type\b/.test(statement),
    };
  });
}

function directionFaults(files: Files): readonly string[] {
  const faults: string[] = [];
  for (const [path, text] of files) {
    const room = roomOf(path);
    if (!(room in mayImport)) faults.push(`${path} is in no room of the house`);
    for (const { to } of importsOf(path, text)) {
      const fault = faultOf(files, room, to);
      if (fault !== undefined) faults.push(`${path} imports ${to}: ${fault}`);
    }
  }
  return faults;
}

function faultOf(files: Files, room: string, to: string): string | undefined {
  if (files.has(to)) {
    const target = roomOf(to);
    return target === room || mayImport[room]?.includes(target)
      ? undefined
      : `${room} may not import ${target}`;
  }
  if (to.startsWith("node:"))
    return room === "core" && !pureNode.has(to) ? "core knows no fs, clock, threads, HTTP" : undefined;
  // `@scope/name/file` and `name/file` are parts of a package.
  const [name = to] = /^(?:@[^/]+\/)?[^/]+/.exec(to) ?? [];
  if (name in packages)
    return packages[name]!.includes(room) ? undefined : `${room} may not use this package`;
  return "there is no such file, and no room has this package";
}

/**
 * One cycle of imports, `a.ts → b.ts → a.ts`, for each file that closes one. Two files of one room may know each
 * other's types (a request and its response); between rooms the directions forbid that as well.
 */
function cycles(files: Files): readonly string[] {
  const found: string[] = [];
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
      return;
    }
    if (finished.has(path)) return;
    for (const { to, typeOnly } of importsOf(path, files.get(path)!))
      if (files.has(to) && !typeOnly) visit(to, [...trail, path]);
    finished.add(path);
  };
  for (const path of files.keys()) visit(path, []);
  return found;
}

/** The first comment is about the file: a sentence, and an empty line before whatever comes next. */
function opensWithSentence(text: string): boolean {
  const [, comment = ""] = /^(?:#!.*\n)?\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n\n/.exec(text) ?? [];
  return /\S[\s\S]*[.:]\s*$/.test(comment.replace(/^\s*\*/gm, ""));
}

function linesOfCode(text: string): number {
  return text.split("\n").filter((line) => !/^\s*(?:\/\/|\/\*\*|\*|$)/.test(line)).length;
}

/** Default exports, lines of text apart. */
function hasDefaultExport(text: string): boolean {
  return /^export default\b|^export\s*\{[^}]*\bas default\b/m.test(text.replace(/`[^`]*`/g, "``"));
}

function readHouse(): Files {
  const paths = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  return new Map(paths.sort().map((path) => [path, readFileSync(join(src, path), "utf8")]));
}

const house = readHouse();
/** The face of a foreign library is as long as it is. */
const written = [...house].filter(([path]) => !path.endsWith(".d.ts"));

describe("the house", () => {
  it("is all there", () => {
    expect(house.size).toBeGreaterThan(100);
    expect(house.has("agent.ts")).toBe(true);
    for (const path of ["vm/thread.ts", "vm/resident.ts"]) expect(house.has(path)).toBe(true);
    // As many statements as a plain count of lines finds, so that none escapes the pattern above.
    const lines = written.flatMap(
      ([, text]) => text.match(/^(?:import\b|\} from "|export .* from ").*;$/gm) ?? [],
    );
    const found = written.flatMap(([path, text]) => importsOf(path, text));
    expect(found.length).toBeGreaterThanOrEqual(lines.length);
  });

  it("imports in the directions of the design", () => {
    expect(directionFaults(house)).toEqual([]);
  });

  it("has no circles", () => {
    expect(cycles(house)).toEqual([]);
  });

  it("opens every file with a sentence on what it is responsible for", () => {
    expect([...house].filter(([, text]) => !opensWithSentence(text)).map(([path]) => path)).toEqual([]);
  });

  it(`keeps files to ${maxLines} lines of code`, () => {
    const long = written.filter(([, text]) => linesOfCode(text) > maxLines);
    expect(long.map(([path, text]) => `${path}: ${linesOfCode(text)}`)).toEqual([]);
  });

  it("exports by name; only the thread's entry has a default, because Piscina calls it", () => {
    expect(written.filter(([, text]) => hasDefaultExport(text)).map(([path]) => path)).toEqual([
      "vm/thread.ts",
    ]);
  });
});

describe("a house built wrong", () => {
  const sound = new Map([...house.keys()].map((path) => [path, ""]));
  /** Each of these beside files without a fault. */
  const wrong: readonly (readonly [path: string, text: string, fault: string])[] = [
    ["core/a.ts", 'import { x } from "../vm/pool.ts";', "core may not import vm"],
    ["core/a.ts", 'import { readFileSync } from "node:fs";', "core knows no fs, clock, threads, HTTP"],
    ["core/a.ts", 'import {\n  x,\n  y,\n} from "../config/index.ts";', "core may not import config"],
    ["core/a.ts", 'export * from "../source/contract.ts";', "core may not import source (contract)"],
    ["core/a.ts", 'import type { X } from "../agent.ts";', "core may not import agent.ts"],
    ["lua/a.ts", 'import { x } from "../ngx/api.ts";', "lua may not import ngx"],
    ["vm/a.ts", 'import { x } from "../lua/vm.ts";', "vm may not import lua"],
    ["vm/a.ts", 'import { x } from "./resident.ts";', "vm may not import vm (thread)"],
    ["vm/a.ts", 'import { lua } from "#fengari";', "vm may not use this package"],
    ["reload/a.ts", 'import { x } from "../source/source.ts";', "reload may not import source"],
    ["reload/a.ts", 'import { x } from "../vm/pool.ts";', "reload may not import vm"],
    ["http/a.ts", 'const { x } = await import("../agent.ts");', "http may not import agent.ts"],
    ["http/a.ts", 'import "../vm/pool.ts";', "http may not import vm"],
    ["cli/a.ts", 'import { x } from "../reload/reloader.ts";', "cli may not import reload"],
    ["cli/a.ts", 'import { x } from "hono/cors";', "cli may not use this package"],
    ["cli/a.ts", 'import got from "got";', "there is no such file, and no room has this package"],
    ["cli/a.ts", 'import { x } from "./missing.ts";', "there is no such file, and no room has this package"],
  ];

  it.each(wrong)("%s with %j is found", (path, text, fault) => {
    const faults = directionFaults(new Map([...sound, [path, text]]));
    expect(faults).toEqual([expect.stringContaining(`: ${fault}`)]);
  });

  it("has rooms that nobody planned", () => {
    expect(directionFaults(new Map([...sound, ["utils/a.ts", ""]]))).toEqual([
      "utils/a.ts is in no room of the house",
    ]);
  });

  it("has circles, short and long", () => {
    const circle = new Map([
      ["core/a.ts", 'import { b } from "./b.ts";'],
      ["core/b.ts", 'import { type C, c } from "./c.ts";\nimport type { T } from "./t.ts";'],
      ["core/t.ts", 'import { a } from "./a.ts";'],
      ["core/c.ts", 'export { a } from "./a.ts";'],
      ["core/self.ts", 'import { x } from "./self.ts";'],
    ]);
    expect(cycles(circle)).toEqual([
      "core/a.ts → core/b.ts → core/c.ts → core/a.ts",
      "core/self.ts → core/self.ts",
    ]);
  });

  it("has files that do not say what they are for, or export by default", () => {
    expect(opensWithSentence('import { x } from "./x.ts";')).toBe(false);
    expect(opensWithSentence("/** Doc of the export. */\nexport const x = 1;")).toBe(false);
    expect(opensWithSentence("/** utils */\n\nexport const x = 1;")).toBe(false);
    expect(opensWithSentence("#!/usr/bin/env node\n/** What it does. */\n\n")).toBe(true);
    expect(hasDefaultExport("export default function f() {}")).toBe(true);
    expect(hasDefaultExport("export { x as default };")).toBe(true);
    expect(hasDefaultExport("const text = `\nexport default {`;")).toBe(false);
  });
});
