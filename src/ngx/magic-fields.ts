/** Fields of the ngx table that are computed when read: `ngx.status`, `ngx.ctx` and their like. */

import { lua, type lua_State } from "#fengari";
import { setFunction, textAt } from "../lua/stack.ts";

/** One such field. Fields without `set` become ordinary ones when written. */
export interface MagicField {
  /** Pushes the value; +1. */
  get(L: lua_State): void;
  /** Takes the value at `index`; +0. */
  set?(L: lua_State, index: number): void;
}

/** Sets the metatable of the table at the top, which answers these fields; +0. */
export function setMagicFields(L: lua_State, fields: ReadonlyMap<string, MagicField>): void {
  lua.lua_createtable(L, 0, 2);
  setFunction(L, "__index", (L) => {
    const field = fields.get(textAt(L, 2) ?? "");
    if (field === undefined) return 0;
    field.get(L);
    return 1;
  });
  setFunction(L, "__newindex", (L) => {
    const field = fields.get(textAt(L, 2) ?? "");
    if (field?.set === undefined) lua.lua_rawset(L, 1);
    else field.set(L, 3);
    return 0;
  });
  lua.lua_setmetatable(L, -2);
}
