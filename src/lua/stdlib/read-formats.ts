/** The formats of `file:read` and `file:lines`: `*l`, `*L`, `*a`, `*n` and counts (Lua 5.1 manual, 5.7). */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushBytes, textAt, toBytes, toText } from "../stack.ts";
import type { LuaStream } from "./stream.ts";

/** What to read: a number of bytes, a line without or with its newline, everything, or a number. */
export type ReadFormat = number | "l" | "L" | "a" | "n";

/** The formats in the arguments `first` and following; a line when there are none. Raises for others. */
export function readFormats(L: lua_State, first: number): readonly ReadFormat[] {
  const formats: ReadFormat[] = [];
  const count = lua.lua_gettop(L);
  for (let arg = first; arg <= count; arg++) {
    if (lua.lua_type(L, arg) === lua.LUA_TNUMBER) {
      formats.push(Math.max(0, lauxlib.luaL_checkinteger(L, arg)));
      continue;
    }
    lauxlib.luaL_checkstring(L, arg);
    // As in 5.1, the first letter decides: "*line" is "*l"; the star is optional since 5.3.
    const letter = /^\*?([lLan])/.exec(textAt(L, arg) ?? "")?.[1] as ReadFormat | undefined;
    if (letter === undefined) lauxlib.luaL_argerror(L, arg, toBytes("invalid format"));
    else formats.push(letter);
  }
  return formats.length === 0 ? ["l"] : formats;
}

/** Pushes a value for each format, the last one nil where the stream ended; returns their number. */
export function readValues(L: lua_State, stream: LuaStream, formats: readonly ReadFormat[]): number {
  lauxlib.luaL_checkstack(L, formats.length, toBytes("too many arguments"));
  let count = 0;
  for (const format of formats) {
    count++;
    if (!pushValue(L, stream, format)) {
      lua.lua_pushnil(L);
      break;
    }
  }
  return count;
}

function pushValue(L: lua_State, stream: LuaStream, format: ReadFormat): boolean {
  if (format === "n") return pushNumeral(L, stream);
  if (format === "a") {
    pushBytes(L, stream.take(Number.POSITIVE_INFINITY));
    return true;
  }
  if (format === 0) {
    if (stream.peek() === -1) return false;
    pushBytes(L, new Uint8Array(0));
    return true;
  }
  const bytes = typeof format === "number" ? stream.take(format) : stream.takeLine();
  if (bytes.length === 0) return false;
  const complete = format === "l" && bytes[bytes.length - 1] === 10;
  pushBytes(L, complete ? bytes.subarray(0, -1) : bytes);
  return true;
}

/** C reads no numeral longer than this either. */
const longestNumeral = 200;

function pushNumeral(L: lua_State, stream: LuaStream): boolean {
  while (/\s/.test(String.fromCharCode(stream.peek()))) stream.take(1);
  let text = "";
  while (text.length < longestNumeral && stream.peek() !== -1) {
    const next = text + String.fromCharCode(stream.peek());
    if (!/^[+-]?(0[xX][\da-fA-F]*\.?[\da-fA-F]*([pP][+-]?\d*)?|\d*\.?\d*([eE][+-]?\d*)?)$/.test(next)) break;
    text += toText(stream.take(1));
  }
  return lua.lua_stringtonumber(L, toBytes(text)) !== 0;
}
