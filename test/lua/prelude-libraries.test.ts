/** Real libraries of Debian, written for 5.1 and LuaJIT, load and work on a fresh state. */

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect } from "vitest";
import { debianLuaLibrary, itWithDebian } from "../debian.ts";
import { runLua } from "./lua-run.ts";
import { installTestRequire } from "./test-require.ts";

const penlight = debianLuaLibrary("pl", "lua-penlight");
const inspect = debianLuaLibrary("inspect.lua", "lua-inspect");
const script = readFileSync(new URL("../fixtures/libraries/penlight.lua", import.meta.url), "latin1");

function runWith(folder: string, source: string) {
  return runLua(source, "=libraries", (L) => installTestRequire(L, `${folder}/?.lua;${folder}/?/init.lua`));
}

describe("Debian's libraries", () => {
  itWithDebian("Penlight and inspect.lua do their work", [penlight, inspect], (path = "") => {
    const run = runWith(dirname(path), script);
    expect(run.error).toBeUndefined();
    expect(run.lines).toEqual(["done"]);
  });

  itWithDebian("the script would tell when they did not", [penlight, inspect], (path = "") => {
    const broken = script.replace("Fido: bark", "Fido: miaow");
    expect(runWith(dirname(path), broken).lines).toEqual(["class: got Fido: bark, want Fido: miaow", "done"]);
  });

  itWithDebian("Penlight takes Relua for 5.1 without LuaJIT's additions", [penlight], (path = "") => {
    const run = runWith(
      dirname(path),
      `local compat = require "pl.compat"
       return compat.lua51, compat.jit, compat.setfenv == setfenv, compat.load("return x", "c", "t", { x = 5 })()`,
    );
    expect(run.values).toEqual(["true", "false", "true", "5"]);
  });
});
