/** `load` and `loadstring` as user code gets them: text only. */

import { lauxlib, lua, type lua_CFunction, type lua_State } from "#fengari";
import { pushText, textAt } from "../stack.ts";

/**
 * `load(text or function, chunkname, mode, env)` over Fengari's own. LuaJIT accepts bytecode here; Fengari does
 * not verify it, so a crafted dump could reach any slot of the stack: binary chunks give nil and a message.
 * `pushEnvironment` pushes the environment of the running coroutine when it has its own (5.1 gives it to chunks).
 */
export function safeLoad(load: lua_CFunction, pushEnvironment: (L: lua_State) => boolean): lua_CFunction {
  return (L) => {
    lauxlib.luaL_checkany(L, 1);
    lauxlib.luaL_optstring(L, 3, null);
    const mode = textAt(L, 3) ?? "t";
    if (!mode.includes("t")) {
      lua.lua_pushnil(L);
      pushText(L, `attempt to load a binary chunk: load takes source text only (mode is '${mode}')`);
      return 2;
    }
    if (lua.lua_gettop(L) < 3) lua.lua_settop(L, 3);
    pushText(L, "t");
    lua.lua_replace(L, 3);
    if (lua.lua_gettop(L) === 3) pushEnvironment(L);
    return load(L);
  };
}
