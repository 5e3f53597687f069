/** `newproxy`, 5.1's undocumented way to a userdata with a metatable. */

import { lauxlib, lua, type lua_CFunction, type lua_State } from "#fengari";
import { toBytes } from "../stack.ts";

/** `newproxy()`, `newproxy(true)` with a new metatable, `newproxy(proxy)` with that proxy's metatable. */
export function newproxy(): lua_CFunction {
  const metatables = new WeakSet<object>();
  return (L: lua_State) => {
    lua.lua_settop(L, 1);
    lua.lua_newuserdata(L, 0);
    if (!lua.lua_toboolean(L, 1)) return 1;
    if (lua.lua_isboolean(L, 1)) {
      lua.lua_newtable(L);
      metatables.add(lua.lua_topointer(L, -1));
    } else {
      const known =
        lua.lua_type(L, 1) === lua.LUA_TUSERDATA &&
        lua.lua_getmetatable(L, 1) &&
        metatables.has(lua.lua_topointer(L, -1));
      lauxlib.luaL_argcheck(L, known, 1, toBytes("boolean or proxy expected"));
    }
    lua.lua_setmetatable(L, 2);
    return 1;
  };
}
