/** docs/lua.md and docs/ngx-api.md against a real VM: the same names, and every difference as it is told. */

import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { openNgx } from "../../src/ngx/api.ts";
import { openCjson } from "../../src/ngx/cjson.ts";
import type { NgxHost } from "../../src/ngx/host.ts";
import { builtinVariables } from "../../src/ngx/variable-list.ts";
import { testVm } from "../lua/vm-harness.ts";
import { codeSpans, proseOf, readDocument, rowsBelow } from "./markdown.ts";

const ngxGuide = readDocument("docs/ngx-api.md");
const luaGuide = readDocument("docs/lua.md");

/** A VM as a thread makes it, without a request. */
function vmWithApi() {
  const { vm, run } = testVm({});
  const host: NgxHost = {
    scheduler: vm.scheduler,
    workerId: 0,
    workerCount: 1,
    prefix: "/srv/app",
    log: () => {},
    exiting: () => false,
  };
  openNgx(vm.L, host);
  openCjson(vm.L, host);
  return run;
}

const run = vmWithApi();

/** The names in a table, by an expression. */
function namesIn(table: string): readonly string[] {
  const names = run(`local names = {}
    for name in pairs(${table}) do if type(name) == "string" then names[#names + 1] = name end end
    table.sort(names)
    return names`);
  return names as readonly string[];
}

/** What pairs does not show: fields that are computed when they are read. */
const computed = ["ngx.ctx", "ngx.headers_sent", "ngx.is_subrequest", "ngx.status"];
/** Tables with a metatable only; their contents are the request's. */
const requestTables = new Set(["arg", "header", "var"]);

function ngxNames(): readonly string[] {
  return namesIn("ngx").flatMap((name) => {
    const isTable = run(`return type(ngx.${name}) == "table"`);
    if (!isTable || requestTables.has(name)) return [`ngx.${name}`];
    return namesIn(`ngx.${name}`).map((inner) => `ngx.${name}.${inner}`);
  });
}

/** The text between a heading and the next of its level. */
function below(markdown: string, heading: string): string {
  const [, rest = ""] = markdown.split(new RegExp(`^## ${heading}$`, "m"));
  return rest.split(/^## /m)[0]!;
}

describe("docs/ngx-api.md", () => {
  const listed = rowsBelow(ngxGuide, "What there is").flatMap(([names]) => codeSpans(names!));
  const constants = codeSpans(below(ngxGuide, "What there is")).filter((name) => /^ngx\.HTTP_/.test(name));

  it("lists every name of the table, and no other", () => {
    expect([...new Set([...listed, ...constants])].toSorted()).toEqual(
      [...ngxNames(), ...computed].toSorted(),
    );
  });

  it("and those that are computed are there", () => {
    for (const name of computed)
      expect(run(`return (pcall(function() return ${name} end))`), name).toBe(false);
    expect(run("return (pcall(function() return ngx.nothing_of_the_kind end))")).toBe(true);
  });

  it("lists every variable", () => {
    const [paragraph = ""] = /^`uri`[\s\S]*?\n\n/m.exec(proseOf(ngxGuide)) ?? [];
    expect(codeSpans(paragraph).toSorted()).toEqual([...builtinVariables.keys()].toSorted());
  });

  it("lists what cjson has", () => {
    const names = rowsBelow(ngxGuide, "cjson").flatMap(([cell]) => codeSpans(cell!));
    for (const module of ["cjson", "cjson.safe"])
      expect(namesIn(`require "${module}"`)).toEqual(names.toSorted());
  });

  it("names what is not there", () => {
    const absent = rowsBelow(ngxGuide, "What is not there").flatMap(([cell]) => codeSpans(cell!));
    expect(absent.length).toBeGreaterThan(5);
    for (const name of absent) expect(run(`return ${name} == nil`), name).toBe(true);
  });
});

describe("docs/lua.md", () => {
  it.each(
    rowsBelow(luaGuide, "What there is").map(([table, names]) => ({ table: codeSpans(table!)[0]!, names })),
  )("lists what $table holds", ({ table, names }) => {
    expect(codeSpans(names!).toSorted()).toEqual([...namesIn(table)].toSorted());
  });

  it("leaves out no library", () => {
    const tables = rowsBelow(luaGuide, "What there is").map(([table]) => codeSpans(table!)[0]!);
    const libraries = namesIn("_G").filter((name) => run(`return type(${name}) == "table"`));
    expect([...tables, "ngx", "njt"].toSorted()).toEqual([...libraries].toSorted());
  });

  it("names modules that require finds", () => {
    for (const name of ["cjson", "cjson.safe", "jit.opt", "table.new", "table.clear", "table.clone"])
      expect(run(`return (pcall(require, "${name}"))`), name).toBe(true);
  });

  const differences = rowsBelow(luaGuide, "Differences from LuaJIT").map(([code, here, there]) => {
    const [text, ours, theirs] = [code, here, there].map((cell) => codeSpans(cell!)[0] ?? cell!);
    return { text: text!, ours: ours!, theirs: theirs! };
  });

  it.each(differences)("$text gives $ours here", ({ text, ours }) => {
    expect(run(`return tostring((${text}))`)).toBe(ours);
  });

  const luajit = spawnSync("luajit", ["-v"]).status === 0;

  it.runIf(luajit).each(differences)("$text gives $theirs in LuaJIT", ({ text, theirs }) => {
    const { status, stdout } = spawnSync("luajit", ["-e", `io.write(tostring((${text})))`], {
      encoding: "utf8",
    });
    expect(status === 0 ? stdout : "error").toBe(theirs);
  });
});
