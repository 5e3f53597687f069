import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect } from "vitest";
import { debianProgram, itWithDebian } from "../debian.ts";
import { createTree, type Tree } from "../support/tree.ts";

const lualib = join(import.meta.dirname, "../../lualib/?.lua");
let tree: Tree;
beforeEach(() => {
  tree = createTree({
    "a.lua": `local hot = require "relua.hot"
      hot.data.n = (hot.data.n or 0) + 1
      hot.dispose(error) hot.adopt(error) hot.pin()
      hot.mine = "mine"
      local M = {}
      function M.data() return hot.data end
      function M.replace(t) hot.data = t end
      return M`,
    "b.lua": "local hot = require 'relua.hot' hot.data.n = 100 return hot",
  });
});
afterEach(() => tree.remove());

describe.each(["lua5.1", "luajit"])("lualib/relua/hot.lua on %s", (name) => {
  const run = (program: string, code: string) =>
    execFileSync(program, ["-e", `package.path = "${tree.root}/?.lua;${lualib}" ${code}`], {
      encoding: "utf8",
    });

  itWithDebian(
    "has the same names, data of each file's own, and does nothing",
    [debianProgram(name)],
    (program = "") => {
      const code = `
      local a, b = require "a", require "b"
      print(a.data().n, b.mine, rawget(b, "data"), b.other)
      a.replace { n = 5 }
      print(a.data().n, pcall(a.replace, 1))`;
      expect(run(program, code)).toBe(
        `1\tmine\tnil\tnil\n5\tfalse\t${tree.path("a.lua")}:7: hot.data must be a table\n`,
      );
    },
  );
});
