/** The `package` table without any loader; require.ts adds `require`, the searchers and what they read. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { setField, toBytes } from "../stack.ts";
import { openLibrary } from "./library.ts";

/**
 * Opens `package` with `config`, empty `path` and `cpath`, and `loaded` and `preload`, which are the registry's
 * `_LOADED` and `_PRELOAD`. Absent: `loadlib`, `searchpath`, `searchers`, `loaders`; +0.
 */
export function openPackage(L: lua_State): void {
  openLibrary(L, "package", (L) => {
    lua.lua_newtable(L);
    setField(L, "config", "/\n;\n?\n!\n-\n");
    setField(L, "path", "");
    setField(L, "cpath", "");
    for (const [field, key] of [
      ["loaded", lauxlib.LUA_LOADED_TABLE],
      ["preload", lauxlib.LUA_PRELOAD_TABLE],
    ] as const) {
      lauxlib.luaL_getsubtable(L, lua.LUA_REGISTRYINDEX, key);
      lua.lua_setfield(L, -2, toBytes(field));
    }
    return 1;
  });
}
