/** `string` as Fengari has it, with 5.1's names and its lenient replacement strings. */

import { lua, type lua_CFunction, type lua_State, lualib } from "#fengari";
import { textAt, toBytes } from "../stack.ts";
import { functionAt, openLibrary, setFunctions } from "./library.ts";

/** Opens `string`; +0. */
export function openString(L: lua_State): void {
  openLibrary(L, "string", lualib.luaopen_string);
  lua.lua_getglobal(L, toBytes("string"));
  setFunctions(L, { gfind: functionAt(L, "gmatch"), gsub: lenientGsub(functionAt(L, "gsub")) });
  lua.lua_pop(L, 1);
}

/** In 5.1 a `%` before anything but a digit stands for what follows; 5.3 raises "invalid use of '%'". */
function lenientGsub(gsub: lua_CFunction): lua_CFunction {
  return (L) => {
    if (lua.lua_type(L, 3) === lua.LUA_TSTRING) {
      const replacement = textAt(L, 3) ?? "";
      if (replacement.includes("%")) {
        lua.lua_pushstring(L, toBytes(replacement.replace(/%([^0-9])/gs, plainly)));
        lua.lua_replace(L, 3);
      }
    }
    return gsub(L);
  };
}

function plainly(_: string, character: string): string {
  return character === "%" ? "%%" : character;
}
