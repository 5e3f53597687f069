/** What is computed when Lua reads it: fields of the ngx table (`ngx.status`), and tables in it (`ngx.var`). */

import { lua, type lua_CFunction, type lua_State } from "#fengari";
import { setFunction, textAt, toBytes } from "../lua/stack.ts";

/** One such field. Fields without `set` become ordinary ones when written. */
export interface MagicField {
  /** Pushes the value; +1. */
  get(L: lua_State): void;
  /** Takes the value at `index`; +0. */
  set?(L: lua_State, index: number): void;
}

/** Sets the metatable of the table at the top, which answers these fields; +0. */
export function setMagicFields(L: lua_State, fields: ReadonlyMap<string, MagicField>): void {
  const index = (L: lua_State) => {
    const field = fields.get(textAt(L, 2) ?? "");
    if (field === undefined) return 0;
    field.get(L);
    return 1;
  };
  const newIndex = (L: lua_State) => {
    const field = fields.get(textAt(L, 2) ?? "");
    if (field?.set === undefined) lua.lua_rawset(L, 1);
    else field.set(L, 3);
    return 0;
  };
  setAccess(L, index, newIndex);
}

/** Sets `name` in the table at the top to an empty table whose every field is read and written by these; +0. */
export function setComputedTable(
  L: lua_State,
  name: string,
  index: lua_CFunction,
  newIndex: lua_CFunction,
): void {
  lua.lua_createtable(L, 0, 0);
  setAccess(L, index, newIndex);
  lua.lua_setfield(L, -2, toBytes(name));
}

/** Gives the table at the top a metatable; +0. */
function setAccess(L: lua_State, index: lua_CFunction, newIndex: lua_CFunction): void {
  lua.lua_createtable(L, 0, 2);
  setFunction(L, "__index", index);
  setFunction(L, "__newindex", newIndex);
  lua.lua_setmetatable(L, -2);
}
