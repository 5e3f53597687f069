/**
 * Numerals: numbers read from text and written as text, as Lua 5.1 and LuaJIT do. Kept from 5.3: tonumber("inf") and
 * tonumber("nan") are nil, so that no text from outside becomes a number that no comparison holds.
 */

import type { Edit } from "../edit.ts";

const wide = "numerals beyond 32 bits are floats, not their lowest bits";

export const numerals: readonly Edit[] = [
  {
    file: "luaconf.js",
    why: "%.14g as C prints it (1e+15, inf, nan, -0), without rounding through a second conversion",
    find: "    return String(Number(n.toPrecision(14))); /* should match behaviour of LUA_NUMBER_FMT */",
    replace: "    return numberToText(n);",
  },
  {
    file: "luaconf.js",
    why: "as above",
    find: `const lua_number2str = function(n) {`,
    replace: `const { numberToText } = require('./cformat.cjs');
const lua_number2str = function(n) {`,
  },
  {
    file: "luaconf.js",
    why: "10/2 prints 5 (Lua 5.1, LuaJIT); and settings do not come out of the environment",
    find: "const LUA_COMPAT_FLOATSTRING = conf.LUA_COMPAT_FLOATSTRING || false;",
    replace: "const LUA_COMPAT_FLOATSTRING = true;",
  },
  {
    file: "lobject.js",
    why: wide,
    find: `        i += 2;  /* skip '0x' */
        for (; i < s.length && lisxdigit(s[i]); i++) {
            a = (a * 16 + luaO_hexavalue(s[i]))|0;
            empty = false;
        }`,
    replace: `        i += 2;  /* skip '0x' */
        let from = i;
        for (; i < s.length && lisxdigit(s[i]); i++) {
            a = a * 16 + luaO_hexavalue(s[i]);
            empty = false;
        }
        if (a > Number.MAX_SAFE_INTEGER)  /* round once, not at every digit */
            a = Number(BigInt("0x" + to_jsstring(s, from, i)));`,
  },
  {
    file: "lobject.js",
    why: wide,
    find: "            n: (neg ? -a : a)|0,",
    replace: "            n: neg ? -a : a,",
  },
  {
    file: "lobject.js",
    why: wide,
    find: "        o.setivalue(s2i.n);",
    replace: "        o.setnvalue(s2i.n);",
  },
  {
    file: "lbaselib.js",
    why: 'tonumber(s, base): wide numbers, and no rest of the text that is not a digit ("1z" to base 16)',
    find: "    let r = /^[\\t\\v\\f \\n\\r]*([+-]?)0*([0-9A-Za-z]+)[\\t\\v\\f \\n\\r]*$/.exec(s);",
    through: "    return v|0;",
    replace: `    let r = /^[\\t\\v\\f \\n\\r]*([+-]?)([0-9A-Za-z]+)[\\t\\v\\f \\n\\r]*$/.exec(s);
    if (!r) return null;
    let digits = base === 16 ? r[2].replace(/^0[xX](?=.)/, "") : r[2];
    let v = 0;
    for (let i = 0; i < digits.length; i++) {
        let digit = parseInt(digits[i], 36);
        if (digit >= base) return null;
        v = v * base + digit;
    }
    return r[1] === "-" ? -v : v;`,
  },
  {
    file: "lbaselib.js",
    why: "tonumber(10, 16) is 16 (Lua 5.1, LuaJIT)",
    find: "        luaL_checktype(L, 1, LUA_TSTRING);  /* no numbers as strings */",
    replace: "        if (lua_type(L, 1) !== LUA_TNUMBER) luaL_checktype(L, 1, LUA_TSTRING);",
  },
  {
    file: "lbaselib.js",
    why: "as above; and a number too large for a double is inf, not an integer",
    find: `            lua_pushinteger(L, n);
            return 1;
        }
    }

    lua_pushnil(L);`,
    replace: `            if (Number.isInteger(n) && !Object.is(n, -0)) lua_pushinteger(L, n);
            else lua_pushnumber(L, n);
            return 1;
        }
    }

    lua_pushnil(L);`,
  },
  {
    file: "lbaselib.js",
    why: "as above",
    find: "    lua_pushnil,\n    lua_pushstring,",
    replace: "    lua_pushnil,\n    lua_pushnumber,\n    lua_pushstring,",
  },
];
