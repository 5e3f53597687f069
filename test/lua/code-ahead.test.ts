import { afterEach, expect, test } from "vitest";
import { lauxlib, lua } from "#fengari";
import type { SourceFile } from "../../src/core/manifest.ts";
import { CodeCache } from "../../src/lua/code-cache.ts";
import { Files } from "../../src/lua/files.ts";
import { View } from "../../src/lua/generations.ts";
import { ManifestView } from "../../src/lua/manifest-view.ts";
import { Observations } from "../../src/lua/observations.ts";
import { toBytes } from "../../src/lua/stack.ts";

const L = lauxlib.luaL_newstate();
afterEach(() => lua.lua_settop(L, 0));

const source = toBytes("return 'out of the manifest'");
const arena = new SharedArrayBuffer(source.length);
new Uint8Array(arena).set(source);

function fileOf(path: string): SourceFile {
  return { path, file: path, hash: "1", content: { arena: 0, offset: 0, length: source.length } };
}

function filesWith(...present: readonly SourceFile[]) {
  const codeCache = new CodeCache(L);
  const files = new Files({ codeCache, observations: new Observations(), cwd: "/", packagePath: "/a/?.lua" });
  const manifest = ManifestView.complete({ present, absent: [], arenas: new Map([[0, arena]]) });
  const view = new View(undefined as never, 1, manifest);
  const compileAhead = (file: SourceFile, code: string) => {
    lauxlib.luaL_loadstring(L, toBytes(code));
    files.compiledAhead(L, file);
  };
  const run = (path: string) => {
    expect(files.push(L, files.find(path, view)!, view)).toEqual({ ok: true });
    lua.lua_call(L, 0, 1);
    return lua.lua_tojsstring(L, -1);
  };
  return { codeCache, files, compileAhead, run };
}

test("what was compiled ahead is what runs", () => {
  const at = filesWith(fileOf("/a/m.lua"));
  at.compileAhead(fileOf("/a/m.lua"), "return 'compiled ahead'");
  expect(lua.lua_gettop(L)).toBe(0);
  expect(at.run("/a/m.lua")).toBe("compiled ahead");
});

test("of what was compiled ahead only that is kept which was loaded", () => {
  const at = filesWith(fileOf("/a/m.lua"), fileOf("/a/n.lua"));
  at.compileAhead(fileOf("/a/m.lua"), "return 'compiled ahead'");
  at.compileAhead(fileOf("/a/n.lua"), "return 'compiled ahead'");
  at.run("/a/m.lua");
  at.files.forgetAhead();
  expect(at.codeCache.size).toBe(1);
  expect(at.run("/a/m.lua")).toBe("compiled ahead");
  expect(at.run("/a/n.lua")).toBe("out of the manifest");
});

test("a path that has another content next keeps no code", () => {
  const at = filesWith(fileOf("/a/m.lua"));
  at.run("/a/m.lua");
  at.files.replaced("/a/m.lua");
  expect(at.codeCache.size).toBe(0);
});
