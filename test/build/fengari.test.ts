/** The build of the patched Fengari: every edit fits exactly, or nothing is written. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyEdits, type Edit, EditError } from "../../build/fengari/edit.ts";
import { patch } from "../../build/fengari/edits.ts";
import { patchFengari } from "../../build/fengari/patch.ts";

const edit = (parts: Partial<Edit>): Edit => ({
  file: "a.js",
  why: "a reason",
  find: "b",
  replace: "B",
  ...parts,
});

describe("an edit", () => {
  it("replaces the one place that it names", () => {
    expect(applyEdits("a.js", "a b c", [edit({})])).toBe("a B c");
  });

  it("may name several places, and their number", () => {
    expect(applyEdits("a.js", "b b", [edit({ times: 2 })])).toBe("B B");
    expect(() => applyEdits("a.js", "b b b", [edit({ times: 2 })])).toThrow("found 3 times instead of 2");
  });

  it("may reach through to another text", () => {
    expect(applyEdits("a.js", "a (b c) d", [edit({ find: "(b", through: ")", replace: "" })])).toBe("a  d");
    expect(() => applyEdits("a.js", ") (b", [edit({ find: "(b", through: ")" })])).toThrow(
      '")" is not after "(b"',
    );
    expect(() => applyEdits("a.js", "(b ) )", [edit({ find: "(b", through: ")" })])).toThrow("found 2 times");
  });

  it("takes its replacement literally", () => {
    expect(applyEdits("a.js", "a b c", [edit({ replace: "$&$1" })])).toBe("a $&$1 c");
  });

  it.each([
    ["missing", "a c", 'fengari/src/a.js: found 0 times instead of 1: "b" (a reason)'],
    ["there twice", "b b", 'fengari/src/a.js: found 2 times instead of 1: "b" (a reason)'],
  ])("fails when its text is %s", (_, text, message) => {
    expect(() => applyEdits("a.js", text, [edit({})])).toThrow(new EditError(message));
  });

  it("does not hide the failure of another", () => {
    expect(() => applyEdits("a.js", "", [edit({ find: "x" }), edit({ find: "y" })])).toThrow(/"x".*\n.*"y"/);
  });
});

describe("the patched copy", () => {
  let folder: string;
  let from: string;
  let to: string;
  const text = (name: string) => readFileSync(join(to, name), "utf8");

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "relua-build-"));
    from = join(folder, "fengari");
    to = join(folder, "dist", "fengari");
    mkdirSync(join(from, "src"), { recursive: true });
    mkdirSync(join(folder, "added"));
    writeFileSync(join(from, "package.json"), '{"version": "0.1.5"}');
    writeFileSync(join(from, "LICENSE"), "its terms");
    writeFileSync(join(from, "src", "a.js"), "a b c");
    writeFileSync(join(from, "src", "z.js"), "untouched");
    writeFileSync(join(folder, "added", "new.cjs"), "new");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const apply = (edits: readonly Edit[], version = "0.1.5", faces: readonly string[] = []) =>
    patchFengari(from, to, { version, edits, added: join(folder, "added"), faces });

  it("holds the edited files, the others, and what was added", () => {
    expect(apply([edit({})])).toBe(5);
    expect(readdirSync(to).sort()).toEqual(["LICENSE", "a.js", "new.cjs", "package.json", "z.js"]);
    expect([text("a.js"), text("z.js"), text("new.cjs")]).toEqual(["a B c", "untouched", "new"]);
    expect(text("LICENSE")).toBe("its terms");
    expect(JSON.parse(text("package.json"))).toEqual({ type: "commonjs" });
  });

  it("has the exports of the files that are named for it as ES modules", () => {
    writeFileSync(join(from, "src", "a.js"), "module.exports.b = b;\n// module.exports.no = no;\n");
    apply([], "0.1.5", ["a"]);
    expect(text("a.mjs")).toBe(
      'import fengari from "./fengari.js";\n\nexport const {\n  b,\n} = fengari.a;\n',
    );
    expect(() => apply([], "0.1.5", ["z"])).toThrow("fengari/src/z.js: no exports found");
  });

  it("is left alone where it is right already", () => {
    apply([edit({})]);
    const before = statSync(join(to, "a.js")).ino;
    expect(apply([edit({})])).toBe(0);
    expect(statSync(join(to, "a.js")).ino).toBe(before);
  });

  it("is mended where it is not, and loses what does not belong there", () => {
    apply([edit({})]);
    writeFileSync(join(to, "a.js"), "damaged");
    writeFileSync(join(to, "old.js"), "of another version");
    expect(apply([edit({})])).toBe(1);
    expect(text("a.js")).toBe("a B c");
    expect(readdirSync(to)).not.toContain("old.js");
  });

  it.each([
    ["a text is missing", [edit({ find: "x" })], "found 0 times"],
    ["a text is there twice", [edit({ find: " " })], "found 2 times"],
    ["the file does not exist", [edit({ file: "gone.js" })], "fengari/src/gone.js: no such file (a reason)"],
  ])("is not written at all when %s", (_, edits, message) => {
    expect(() => apply([edit({ find: "c" }), ...edits])).toThrow(message);
    expect(readdirSync(folder)).not.toContain("dist");
  });

  it("is not written for another version of Fengari", () => {
    writeFileSync(join(from, "package.json"), '{"version": "0.1.6"}');
    expect(() => apply([])).toThrow(new EditError("fengari is 0.1.6, but the edits are for 0.1.5: npm ci"));
    expect(readdirSync(folder)).not.toContain("dist");
  });
});

describe("Relua's edits", () => {
  const installed = join(import.meta.dirname, "..", "..", "node_modules", "fengari");

  it("fit the installed Fengari, and are what dist holds", () => {
    const to = mkdtempSync(join(tmpdir(), "relua-build-"));
    try {
      patchFengari(installed, to, patch);
      const dist = join(import.meta.dirname, "..", "..", "dist", "fengari");
      expect(
        readdirSync(to).filter(
          (name) => readFileSync(join(to, name), "utf8") !== readFileSync(join(dist, name), "utf8"),
        ),
      ).toEqual([]);
    } finally {
      rmSync(to, { recursive: true });
    }
  });

  it("leave every function of Fengari's libraries in its face", async () => {
    const face: Readonly<Record<string, object>> = await import("#fengari");
    const { default: whole } = (await import(join(installed, "src", "fengari.js"))) as {
      readonly default: typeof face;
    };
    for (const library of ["lua", "lauxlib", "lualib"])
      expect(Object.keys(face[library] ?? {}).sort()).toEqual(Object.keys(whole[library] ?? {}).sort());
  });

  it("each say why", () => {
    expect(patch.edits.filter(({ why }) => why.trim() === "")).toEqual([]);
  });
});
