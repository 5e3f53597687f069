/** os.date and os.time: UTC, all letters of C99's strftime, years beyond 2038, right days of the year. */

import type { Edit } from "../edit.ts";

const outOfRange = `luaL_error(L, to_luastring("time result cannot be represented in this installation"))`;

export const dates: readonly Edit[] = [
  {
    file: "loslib.js",
    why: "E and O modifiers, and the ISO week G, g, V",
    find: `const LUA_STRFTIMEOPTIONS = to_luastring("aAbBcCdDeFhHIjklmMnpPrRStTuUwWxXyYzZ%");`,
    replace: `const LUA_STRFTIMEOPTIONS = to_luastring("aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%||EcECExEXEyEYOdOeOHOIOmOMOSOuOUOVOwOWOy");`,
  },
  {
    file: "loslib.js",
    why: "a modifier stands before its letter and changes nothing in the C locale",
    find: "            switch(s[i]) {",
    replace: `            switch(s[i + len - 1]) {
                case 71 /* G */:
                    luaL_addstring(b, to_luastring(String(isoWeek(date).year)));
                    break;

                case 103 /* g */:
                    push_pad_2(b, isoWeek(date).year % 100, 48 /* 0 */);
                    break;

                case 86 /* V */:
                    push_pad_2(b, isoWeek(date).week, 48 /* 0 */);
                    break;
`,
  },
  {
    file: "loslib.js",
    why: "the message names the specifier, not the whole format",
    find: `lua_pushfstring(L, to_luastring("invalid conversion specifier '%%%s'"), conv));`,
    replace: `lua_pushfstring(L, to_luastring("invalid conversion specifier '%%%s'"), conv.subarray(i, i + 1)));`,
  },
  {
    file: "loslib.js",
    why: "days of the year counted in local milliseconds are wrong across the change to summer time",
    find: `    setfield(L, "yday", Math.floor((time - (new Date(time.getFullYear(), 0, 0 /* shortcut to correct day by one */))) / 86400000));
    // setboolfield(L, "isdst", time.get);`,
    replace: `    setfield(L, "yday", dayOfYear(time) + 1);
    lua_pushboolean(L, isSummerTime(time));
    lua_setfield(L, -2, to_luastring("isdst", true));`,
  },
  {
    file: "loslib.js",
    why: "as above",
    find: "    let yday = (date - new Date(date.getFullYear(), 0, 1)) / 86400000;",
    replace: "    let yday = dayOfYear(date);",
  },
  {
    file: "loslib.js",
    why: "%j counts from 001",
    find: "                    let yday = Math.floor((date - new Date(date.getFullYear(), 0, 1)) / 86400000);",
    replace: "                    let yday = dayOfYear(date) + 1;",
  },
  {
    file: "loslib.js",
    why: "%t is a tab",
    find: "luaL_addchar(b, 8);",
    replace: "luaL_addchar(b, 9);",
  },
  {
    file: "loslib.js",
    why: "%Z is the short name of the zone",
    find: "                    let tzString = date.toString().match(/\\(([\\w\\s]+)\\)/);",
    through: "                        luaL_addstring(b, to_luastring(tzString[1]));",
    replace: "                    luaL_addstring(b, to_luastring(zoneName(date)));",
  },
  {
    file: "loslib.js",
    why: "a leading ! means UTC and is no part of the format",
    find: "    let stm = lua_isnoneornil(L, 2) ? new Date() : new Date(l_checktime(L, 2) * 1000);",
    replace: "    let ms = lua_isnoneornil(L, 2) ? Date.now() : l_checktime(L, 2) * 1000;",
  },
  {
    file: "loslib.js",
    why: "as above",
    find: "        i++;  /* skip '!' */\n    }",
    replace: `        i++;  /* skip '!' */
    }
    let stm = utc ? new UtcDate(ms) : new Date(ms);
    if (isNaN(stm))
        return ${outOfRange};`,
  },
  {
    file: "loslib.js",
    why: "as above",
    find: "        setallfields(L, stm, utc);",
    replace: "        setallfields(L, stm);",
  },
  {
    file: "loslib.js",
    why: "as above",
    find: "        strftime(L, b, s, stm);",
    replace: "        strftime(L, b, s.subarray(i), stm);",
  },
  {
    file: "loslib.js",
    why: "as above",
    find: `const {
    luastring_eq,
    to_jsstring,`,
    replace: `const { UtcDate, dayOfYear, isSummerTime, isoWeek, zoneName } = require('./cdate.cjs');
const {
    luastring_eq,
    to_jsstring,`,
  },
  {
    file: "loslib.js",
    why: "fields may be fractions, which are cut off, or texts of numbers (Lua 5.1, LuaJIT)",
    find: "    let res = lua_tointegerx(L, -1);",
    replace: `    let res = lua_tonumberx(L, -1);
    if (res !== false) res = Math.trunc(res);`,
  },
  {
    file: "loslib.js",
    why: "as above",
    find: "    lua_toboolean,\n    lua_tointegerx\n}",
    replace: "    lua_toboolean,\n    lua_tonumberx\n}",
  },
  {
    file: "loslib.js",
    why: "JavaScript takes the years 0 to 99 for 1900 to 1999; a time that cannot be represented is an error, not nan",
    find: `        t = new Date(
            getfield(L, "year", -1, 0),`,
    through: `            getfield(L, "sec", 0, 0)
        );`,
    replace: `        t = new Date(2000, 0, 1, 12);
        t.setFullYear(getfield(L, "year", -1, 0), getfield(L, "month", -1, 1), getfield(L, "day", -1, 0));
        t.setHours(getfield(L, "hour", 12, 0), getfield(L, "min", 0, 0), getfield(L, "sec", 0, 0), 0);
        if (isNaN(t))
            return ${outOfRange};`,
  },
];
