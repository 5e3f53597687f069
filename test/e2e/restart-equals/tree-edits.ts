/** Random trees of Lua modules and random edits of them: every way to name, find and require a module that there is. */

import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import fc from "fast-check";
import { hashOf } from "../../support/in-process-agent.ts";

/** Modules by the name that all templates know. While it loads, one requires only those behind it: cycles are errors. */
const bases = ["m0", "m1", "m2", "m3", "m4", "p.q0", "p.q1", "p.q2"] as const;
type Base = (typeof bases)[number];

/** Where the file of a module may be. `three/` is on the path only by what Lua code adds to it. */
const places = [
  "one/?.lua",
  "one/?/init.lua",
  "two/?.lua",
  "two/?/init.lua",
  "?.lua",
  "three/?.lua",
] as const;
type Place = (typeof places)[number];

/** The last template gives every file below it another name; `link` is a symbolic link to a folder. */
const templates = ["one/?.lua", "one/?/init.lua", "two/?.lua", "?.lua"] as const;
export const searchPath = templates.map((template) => `$prefix/${template}`).join(";");

/** The same and what Lua code adds to it. */
export const luaTemplates: readonly string[] = [...templates, "three/?.lua"];

/** What Lua code does to the search path in each new VM. */
export const initBy = (root: string) => `package.path = package.path .. ";${root}/three/?.lua"`;

const dataFiles = ["data/d0.lua", "data/d1.lua"] as const;

const at = (place: Place, base: Base) => place.replace("?", base.replace(".", "/"));
const spellings = (base: Base): readonly string[] => [
  base,
  `./${base}`,
  `.${base}`,
  base.replace(".", "//"),
  `one.${base}`,
  `one/${base}`,
  `two//${base.replace(".", "/")}`,
  `three.${base}`,
  ...(base.startsWith("p.") ? [base.replace("p.", "link."), base.replace("p.", "link/")] : []),
];

/** Every name by which anything could be required. */
export const allNames: readonly string[] = bases.flatMap((base) => [...new Set(spellings(base))]);

/** What a file says, by the ways in which it requires. */
export interface Content {
  /** While it loads; fails when that is missing. */
  readonly hard: readonly string[];
  /** While it loads, if it is there. */
  readonly soft: readonly string[];
  /** While it loads, in a coroutine. */
  readonly coroutine: readonly string[];
  /** When it is asked for the first time; what came of it is kept. */
  readonly lazy: readonly string[];
  /** The same, by a name that is made then. */
  readonly dynamic: readonly number[];
  /** Files, by path: while it loads, and when it is asked for the first time. */
  readonly dofile: readonly string[];
  readonly loadfile: readonly string[];
  readonly lazyDofile: readonly string[];
  /** A second loading gives the first one's table. */
  readonly shares: boolean;
  /** It enters itself under one more name. */
  readonly registers: boolean;
  readonly fails: "no" | "runs" | "compiles";
}

export type Edit =
  | { readonly kind: "write"; readonly path: string; readonly content: Content }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

const some = (from: readonly string[], most: number) =>
  from.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom(...from), { maxLength: most });

/** What the file of a module, by its number, may say. */
function contents(index: number): fc.Arbitrary<Content> {
  const behind = bases.slice(index + 1);
  const names = behind.flatMap((base) => [base, base, base, ...spellings(base)]);
  const files = [...dataFiles, ...behind.flatMap((base) => places.map((place) => at(place, base)))];
  return fc.record({
    hard: some(names, 1),
    soft: some(names, 2),
    coroutine: some(names, 1),
    lazy: some(allNames, 2),
    dynamic: fc.array(fc.nat(3), { maxLength: 1 }),
    dofile: some(files, 1),
    loadfile: some(files, 1),
    lazyDofile: some(files, 1),
    shares: fc.boolean(),
    registers: fc.boolean(),
    fails: fc.oneof(
      { weight: 8, arbitrary: fc.constant("no" as const) },
      { weight: 1, arbitrary: fc.constantFrom("runs" as const, "compiles" as const) },
    ),
  });
}

const nothing: Content = {
  hard: [],
  soft: [],
  coroutine: [],
  lazy: [],
  dynamic: [],
  dofile: [],
  loadfile: [],
  lazyDofile: [],
  shares: false,
  registers: false,
  fails: "no",
};

const indexes = fc.nat(bases.length - 1);
const place = fc.constantFrom(...places);
const writes: fc.Arbitrary<Edit> = indexes.chain((index) =>
  fc.record({
    kind: fc.constant("write" as const),
    path: place.map((where) => at(where, bases[index]!)),
    content: contents(index),
  }),
);
const dataEdits: fc.Arbitrary<Edit> = fc
  .constantFrom(...dataFiles)
  .chain((path) =>
    fc.constantFrom<Edit>(
      { kind: "write", path, content: nothing },
      { kind: "remove", path },
      { kind: "write", path, content: { ...nothing, lazy: ["m4", "p.q2"] } },
    ),
  );
const removals: fc.Arbitrary<Edit> = fc
  .tuple(indexes, place)
  .map(([index, where]) => ({ kind: "remove", path: at(where, bases[index]!) }));
const renames: fc.Arbitrary<Edit> = fc
  .tuple(indexes, place, place)
  .map(([index, a, b]) => ({ kind: "rename", from: at(a, bases[index]!), to: at(b, bases[index]!) }));
const links: fc.Arbitrary<Edit> = fc.tuple(indexes, indexes, place, place).map(([a, b, from, to]) => ({
  kind: "link",
  path: at(from, bases[Math.min(a, b)]!),
  target: at(to, bases[Math.max(a, b)]!),
}));
const folderLinks: fc.Arbitrary<Edit> = fc
  .constantFrom("one/p", "two/p")
  .map((target) => ({ kind: "link", path: "link", target }));

export const edits: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 10, arbitrary: writes },
  { weight: 1, arbitrary: dataEdits },
  { weight: 3, arbitrary: removals },
  { weight: 2, arbitrary: renames },
  { weight: 2, arbitrary: links },
  { weight: 1, arbitrary: folderLinks },
);

/** A tree to begin with. */
export const beginnings: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.oneof({ weight: 5, arbitrary: writes }, dataEdits, folderLinks),
  {
    minLength: 1,
    maxLength: 16,
  },
);

/** In one line: what a file says, without what it does not. */
export function describeEdit(edit: Edit): string {
  if (edit.kind === "rename") return `rename ${edit.from} to ${edit.to}`;
  if (edit.kind === "link") return `link ${edit.path} to ${edit.target}`;
  if (edit.kind === "remove") return `remove ${edit.path}`;
  const says = Object.entries(edit.content).flatMap(([what, value]) => {
    if (value === false || value === "no" || (Array.isArray(value) && value.length === 0)) return [];
    return [value === true ? what : `${what} ${Array.isArray(value) ? value.join(" ") : value}`];
  });
  return `write ${edit.path}: ${says.join(", ")}`;
}

/** The disk under a folder, as edits change it. Every file that is written is another one than any before. */
export class EditedTree {
  readonly #root: string;
  readonly #written = new Map<string, { readonly version: number; readonly content: Content }>();
  #versions = 0;

  constructor(root: string) {
    this.#root = root;
    mkdirSync(join(root, "data"));
  }

  apply(edit: Edit): void {
    switch (edit.kind) {
      case "write":
        this.#clear(edit.path);
        this.#write(edit.path, edit.content);
        return;
      case "remove":
        rmSync(this.#path(edit.path), { force: true, recursive: true });
        return;
      case "rename": {
        const from = this.#path(edit.from);
        if (edit.from === edit.to || statSync(from, { throwIfNoEntry: false }) === undefined) return;
        this.#clear(edit.to);
        renameSync(from, this.#path(edit.to));
        return;
      }
      case "link":
        if (edit.path === edit.target) return;
        this.#clear(edit.path);
        symlinkSync(relative(dirname(this.#path(edit.path)), this.#path(edit.target)), this.#path(edit.path));
    }
  }

  /** What was ever written, by the hash of its bytes. */
  written(hash: string): { readonly version: number; readonly content: Content } | undefined {
    return this.#written.get(hash);
  }

  #write(path: string, content: Content): void {
    const version = ++this.#versions;
    const source = sourceOf(version, content);
    this.#written.set(hashOf(Buffer.from(source)), { version, content });
    writeFileSync(this.#path(path), source);
  }

  #path(path: string): string {
    return join(this.#root, path);
  }

  /** Makes room for a file: nothing is at the path any more, and the folders above are there. */
  #clear(path: string): void {
    rmSync(this.#path(path), { force: true, recursive: true });
    mkdirSync(dirname(this.#path(path)), { recursive: true });
  }
}

const luaList = (values: readonly (string | number)[]) =>
  values.map((value) => JSON.stringify(value)).join(", ");

function sourceOf(version: number, content: Content): string {
  return `${content.fails === "compiles" ? "local = 1\n" : ""}local M = { version = ${version}, held = {}, kept = {} }
${
  content.shares
    ? `if ... then
  for _, other in pairs(package.loaded) do
    if type(other) == "table" and rawget(other, "version") == ${version} then return other end
  end
end
`
    : ""
}local function hold(into, key, name, ok, module)
  into[key] = { name = name, module = ok and module or false }
end
for _, name in ipairs { ${luaList(content.hard)} } do hold(M.held, #M.held + 1, name, true, require(name)) end
for _, name in ipairs { ${luaList(content.soft)} } do hold(M.held, #M.held + 1, name, pcall(require, name)) end
for _, name in ipairs { ${luaList(content.coroutine)} } do
  hold(M.held, #M.held + 1, name, coroutine.wrap(function() return pcall(require, name) end)())
end
for _, path in ipairs { ${luaList(content.dofile)} } do hold(M.held, #M.held + 1, nil, pcall(dofile, path)) end
for _, path in ipairs { ${luaList(content.loadfile)} } do
  local chunk = loadfile(path)
  if chunk then hold(M.held, #M.held + 1, nil, pcall(chunk)) else hold(M.held, #M.held + 1, nil, false) end
end
local lazy, dynamic, files = { ${luaList(content.lazy)} }, { ${luaList(content.dynamic)} }, { ${luaList(content.lazyDofile)} }
local function see(held, depth)
  local module = held.module
  local same = held.name == nil or (module or nil) == package.loaded[held.name]
  return (module and module.see(depth) or "-") .. (same and "" or "!")
end
function M.see(depth)
  if depth == 0 then return "${version}" end
  for i, name in ipairs(lazy) do
    if not M.kept[i] then hold(M.kept, i, name, pcall(require, name)) end
  end
  for i, n in ipairs(dynamic) do
    local key = #lazy + i
    if not M.kept[key] then hold(M.kept, key, "p.q" .. n, pcall(require, "p.q" .. n)) end
  end
  for i, path in ipairs(files) do
    local key = #lazy + #dynamic + i
    if not M.kept[key] then hold(M.kept, key, nil, pcall(dofile, path)) end
  end
  local seen = {}
  for _, held in ipairs(M.held) do seen[#seen + 1] = see(held, depth - 1) end
  for _, held in ipairs(M.kept) do seen[#seen + 1] = see(held, depth - 1) end
  return "${version}(" .. table.concat(seen, " ") .. ")"
end
${content.fails === "runs" ? 'error("broken on purpose")\n' : ""}${
  content.registers
    ? `if ... then package.loaded["registered ${version}"] = M; M.registered = "registered ${version}" end\n`
    : ""
}return M
`;
}

/**
 * Lua code that answers for some names, in this order: what each is and holds, and in groups those that are the very
 * same table.
 */
export function probe(names: readonly string[]): string {
  return probeBody(`{ ${luaList(names)} }`);
}

/** The same for an expression that is a list of names. */
export function probeBody(names: string): string {
  return `local answers, first = {}, {}
for _, name in ipairs(${names}) do
  local ok, module = pcall(require, name)
  if ok and type(module) == "table" and module.see then
    local registered = module.registered
    answers[name] = module.see(3) .. (registered and " " .. require(registered).see(1) or "")
    first[module] = first[module] or {}
    table.insert(first[module], name)
  else
    answers[name] = "-"
  end
end
local groups = {}
for _, names in pairs(first) do table.insert(groups, names) end
return { answers = answers, groups = groups }`;
}

/** What a probe returned. */
interface Probed {
  readonly answers: Readonly<Record<string, string>>;
  readonly groups: readonly (readonly string[])[] | Readonly<Record<string, never>>;
}

/** By name: what it is and holds, and which of the asked names are the same table. */
export function answersOf(probed: unknown, asked: readonly string[]): Readonly<Record<string, string>> {
  const { answers, groups } = probed as Probed;
  const among = new Set(asked);
  const same = new Map<string, string>();
  for (const group of Array.isArray(groups) ? (groups as readonly (readonly string[])[]) : []) {
    const names = group.filter((name) => among.has(name)).sort();
    for (const name of names) same.set(name, names.join("="));
  }
  return Object.fromEntries(
    [...asked].sort().map((name) => [name, `${answers[name]} ${same.get(name) ?? ""}`]),
  );
}
