/** What npm publishes: all that runs, nothing that does not, and no package that users do not get. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: { readonly ".": { readonly types: string; readonly default: string } };
  readonly imports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

const filesBelow = (folder: string) => readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });

describe("the package", () => {
  let published: ReadonlySet<string>;
  beforeAll(() => {
    // --ignore-scripts: what is there was built before the tests.
    const told = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [packed] = JSON.parse(told) as readonly { readonly files: readonly { readonly path: string }[] }[];
    published = new Set(packed?.files.map(({ path }) => path));
  });

  it("has what its manifest names, and the licences of all that is in it", () => {
    const named = [
      manifest.bin.relua,
      manifest.exports["."].types,
      manifest.exports["."].default,
      ...Object.values(manifest.imports).map((target) =>
        typeof target === "string" ? target : target.default,
      ),
      "LICENSE",
      "dist/fengari/LICENSE",
      "README.md",
      "CHANGELOG.md",
    ];
    // A pattern of `imports` names what lies behind it: a folder with something in it.
    const isPublished = (path = "") =>
      path.endsWith("*")
        ? [...published].some((other) => other.startsWith(path.slice(0, -1)))
        : published.has(path);
    expect(named.filter((path) => !isPublished(path?.replace(/^\.\//, "")))).toEqual([]);
  });

  it("has each kind of thread in one file, which imports nothing beside it", () => {
    const threads = filesBelow("dist/threads");
    expect(threads.map((name) => `./dist/threads/${name}`).sort()).toEqual(
      Object.entries(manifest.imports)
        .flatMap(([name, target]) => (name.endsWith("-thread") ? [target] : []))
        .sort(),
    );
    for (const name of threads) {
      const text = readFileSync(join(root, "dist/threads", name), "utf8");
      const imported = [...text.matchAll(/(?:^|;)import\b[^;"']*?\bfrom\s*"([^"]+)"/gm)].map(
        ([, from]) => from,
      );
      expect(imported).not.toEqual([]);
      expect(imported.filter((from) => /^[.#/]/.test(from!))).toEqual([]);
    }
  });

  it("has no character in a thread's file that would make its text take twice the memory", () => {
    for (const name of filesBelow("dist/threads")) {
      const text = readFileSync(join(root, "dist/threads", name), "utf8");
      expect(Buffer.from(text, "latin1").toString("latin1") === text, name).toBe(true);
    }
  });

  it("has every source in its compiled form, and every Lua file", () => {
    const sources = filesBelow("src").filter((name) => /\.(ts|lua)$/.test(name) && !name.endsWith(".d.ts"));
    const wanted = [
      ...sources.map((name) => `dist/${name.replace(/\.ts$/, ".js")}`),
      ...filesBelow("lualib")
        .filter((name) => name.endsWith(".lua"))
        .map((name) => `lualib/${name}`),
    ];
    expect(wanted.length).toBeGreaterThan(100);
    expect(wanted.filter((path) => !published.has(path))).toEqual([]);
  });

  it("has nothing of sources that are gone, and no tests, maps or configuration", () => {
    const strangers = [...published].filter(
      (path) => !/^(dist|docs|lualib)\/|^(LICENSE|README\.md|CHANGELOG\.md|package\.json)$/.test(path),
    );
    expect(strangers).toEqual([]);
    expect([...published].filter((path) => path.endsWith(".map"))).toEqual([]);
    const sources = new Set(filesBelow("src"));
    const orphans = [...published]
      .filter((path) => /^dist\/(?!fengari\/|threads\/).*\.js$/.test(path))
      .filter((path) => !sources.has(path.replace(/^dist\/(.*)\.js$/, "$1.ts")));
    expect(orphans).toEqual([]);
  });

  it("imports no package but its dependencies, and depends on none that it does not import", () => {
    const imported = new Set<string>();
    for (const name of filesBelow("dist").filter((name) => /\.c?js$/.test(name))) {
      const text = readFileSync(join(root, "dist", name), "utf8");
      for (const [, from = "", required] of text.matchAll(
        /^(?:import|export)\b[^;"']*?\bfrom\s*"([^"]+)"|(?:\bimport|\brequire)\(\s*["']([^"']+)["']\s*\)/gm,
      )) {
        const specifier = required ?? from;
        if (/^[.#]|^node:|^(fs|os|path|crypto)$/.test(specifier)) continue;
        imported.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
      }
    }
    expect([...imported].sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });
});
