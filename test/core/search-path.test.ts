/** The search path: parsing, from names to files and back. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${prefix} is the search path's own syntax

import { describe, expect, it } from "vitest";
import {
  candidates,
  canonicalName,
  defaultSearchPath,
  fixedFiles,
  missedText,
  namesOf,
  parsePackagePath,
  parseSearchPath,
  resolve,
  sourceRoots,
} from "../../src/core/search-path.ts";
import { ReluaError } from "../../src/errors.ts";

const parse = (text: string, prefix = "/srv/app") => parseSearchPath(text, { prefix, cwd: "/work" });
const texts = (text: string) => parse(text).templates.map((template) => template.text);
const among = (paths: readonly string[]) => (path: string) => paths.includes(path);

describe("parsing lua_package_path", () => {
  it("keeps the order of the templates and skips empty parts", () => {
    expect(texts(";b/?.lua;a/?.lua;")).toEqual(["b/?.lua", "a/?.lua"]);
  });

  it("puts the default path where ;; stands", () => {
    expect(parse("a/?.lua;;").text).toBe(`a/?.lua;${defaultSearchPath};`);
    expect(parse(";;a/?.lua").templates.map((template) => template.text)).toEqual([
      ...defaultSearchPath.split(";"),
      "a/?.lua",
    ]);
    expect(parseSearchPath(";;", { prefix: "/", cwd: "/", defaultPath: "only/?.lua" }).text).toBe(
      ";only/?.lua;",
    );
  });

  it("fills in $prefix and ${prefix}", () => {
    expect(texts("$prefix/?.lua;${prefix}lib/?.lua")).toEqual(["/srv/app/?.lua", "/srv/applib/?.lua"]);
    expect(texts("cash$/?.lua")).toEqual(["cash$/?.lua"]);
  });

  it("keeps a template's text and resolves it against the working folder", () => {
    expect(parse("./lib//x/../?/init.lua").templates[0]).toEqual({
      text: "./lib//x/../?/init.lua",
      absolute: "/work/lib/?/init.lua",
      folder: "/work/lib",
      suffix: "/init.lua",
      fixed: false,
    });
  });

  it("finds the fixed folder before the first ? and the suffix behind the last", () => {
    const shapes = parse("/l/pre-?.lua;/?.lua;/l/?/?.lua;?;/boot.lua;/l/x.lua").templates;
    expect(shapes.map(({ folder, suffix }) => [folder, suffix])).toEqual([
      ["/l", ".lua"],
      ["/", ".lua"],
      ["/l", ".lua"],
      ["/work", ""],
      ["/", "/boot.lua"],
      ["/l", "/x.lua"],
    ]);
  });

  it.each([
    ["", /no template/],
    [";", /no template/],
    ["a\0/?.lua", /NUL/],
    ["$home/?.lua", /names \$home; it knows \$prefix/],
    ["$prefixed/?.lua", /names \$prefixed/],
    ["${prefix/?.lua", /no }/],
    ["${}/?.lua", /names \$\{\}/],
    ["a/?/../b.lua", /goes up/],
  ])("refuses %j", (text, message) => {
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).toThrow(ReluaError);
  });

  it("refuses a prefix that the syntax cannot hold, where it is used", () => {
    expect(() => parse("$prefix/?.lua", "/srv/a;b")).toThrow(/contains ; or \?/);
    expect(texts("x/?.lua")).toEqual(["x/?.lua"]);
  });

  it("takes what Lua code set at run time as it is", () => {
    const path = parsePackagePath(";;$prefix/?.lua;?/../x.lua;", "/work");
    expect(path.templates.map((template) => template.text)).toEqual(["$prefix/?.lua", "?/../x.lua"]);
    expect(parsePackagePath("", "/work").templates).toEqual([]);
    expect(parsePackagePath("a/?.lua\0b/?.lua", "/work").templates).toHaveLength(1);
  });
});

describe("from a name to a file", () => {
  it("turns dots into slashes in every ? of a template", () => {
    expect(candidates(parse("./?.lua;/l/?/x-?.lua;fixed.lua"), "a.b")).toEqual([
      { text: "./a/b.lua", path: "/work/a/b.lua" },
      { text: "/l/a/b/x-a/b.lua", path: "/l/a/b/x-a/b.lua" },
      { text: "fixed.lua", path: "/work/fixed.lua" },
    ]);
  });

  it("inserts a name as it is, whatever JavaScript's replace makes of $&", () => {
    expect(candidates(parse("./?.lua"), "a$&?")[0]?.text).toBe("./a$&?.lua");
  });

  it("does not take a path that ends in a slash for a file", () => {
    expect(resolve(parse("./?"), "a.", among(["/work/a"])).path).toBeUndefined();
  });

  it("takes the first that exists and tells which it missed before", () => {
    const path = parse("/one/?.lua;/two/?.lua;/three/?.lua");
    expect(resolve(path, "a", among(["/two/a.lua", "/three/a.lua"]))).toEqual({
      path: "/two/a.lua",
      probes: ["/one/a.lua"],
    });
    expect(resolve(path, "b", among([]))).toEqual({
      path: undefined,
      probes: ["/one/b.lua", "/two/b.lua", "/three/b.lua"],
    });
  });

  it("says it in Lua 5.1's words when there is none", () => {
    expect(missedText(candidates(parse("./?.lua;/l/?.lua"), "x"))).toBe(
      "\n\tno file './x.lua'\n\tno file '/l/x.lua'",
    );
  });
});

describe("from a file to its names", () => {
  const path = parse("/srv/app/?.lua;/srv/app/?/init.lua;/srv/?.lua");

  it("names every way to it, in the order of the search", () => {
    expect(namesOf(path, "/srv/app/m/init.lua", among([]))).toEqual([
      { name: "m.init" },
      { name: "m" },
      { name: "app.m.init" },
    ]);
  });

  it("tells which names an earlier template keeps for itself", () => {
    expect(namesOf(path, "/srv/app/m/init.lua", among(["/srv/app/m.lua"]))[1]).toEqual({
      name: "m",
      shadowedBy: "/srv/app/m.lua",
    });
  });

  it("knows that a dot in a path cannot come from a name", () => {
    expect(namesOf(path, "/srv/app/v1.2/x.lua", among([]))).toEqual([]);
    expect(namesOf(path, "/elsewhere/x.lua", among([]))).toEqual([]);
  });

  it("solves templates with several ?", () => {
    const double = parse("/l/?/?.lua");
    expect(namesOf(double, "/l/a/b/a/b.lua", among([]))).toEqual([{ name: "a.b" }]);
    expect(namesOf(double, "/l/a/b.lua", among([]))).toEqual([]);
  });

  it.each([
    ["a/b", "a.b"],
    ["a//b", "a.b"],
    ["./a", "a"],
    ["./a/./b", "a.b"],
    [".a", "a"],
    ["a", "a"],
    ["a.", "a."],
    [".", "."],
    ["", ""],
  ])("takes %j for another spelling of %j", (spelling, name) => {
    expect(canonicalName(spelling)).toBe(name);
    const paths = (text: string) => candidates(path, text).map((candidate) => candidate.path);
    expect(paths(spelling)).toEqual(paths(name));
  });
});

describe("where the source looks", () => {
  it("makes one root of the templates of one folder, and single files of those without ?", () => {
    const path = parse("$prefix/?.lua;$prefix/?/init.lua;$prefix/lib/?.lua;./?.lua;$prefix/?.lua;boot.lua");
    expect(sourceRoots(path)).toEqual([
      { folder: "/srv/app", suffixes: [".lua", "/init.lua"] },
      { folder: "/srv/app/lib", suffixes: [".lua"] },
      { folder: "/work", suffixes: [".lua"] },
    ]);
    expect(fixedFiles(path)).toEqual(["/work/boot.lua"]);
  });
});
