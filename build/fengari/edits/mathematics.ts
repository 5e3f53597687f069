/** The math library: right results beyond 32 bits, and LuaJIT's for the corners. */

import type { Edit } from "../edit.ts";

export const mathematics: readonly Edit[] = [
  {
    file: "luaconf.js",
    why: "-0 stays a float: math.ceil(-0.5) is -0 (Lua 5.1, LuaJIT)",
    find: "    return n >= LUA_MININTEGER && n < -LUA_MININTEGER ? n : false;",
    replace: "    return (n|0) === n && !Object.is(n, -0) ? n : false;",
  },
  {
    file: "lmathlib.js",
    why: "the linear generator lost its low bits to rounding and gave 31 bits; sfc32 gives 53",
    find: "/* use same parameters as glibc LCG */",
    through: `    if (rand_state === 0)
        rand_state = 1;
};`,
    replace: `/* Chris Doty-Humphrey's sfc32 (PractRand) */
const rand_word = function() {
    let s = rand_state;
    let t = (s[0] + s[1] + s[3])|0;
    s[3] = (s[3] + 1)|0;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = (s[2] + (s[2] << 3))|0;
    s[2] = (((s[2] << 21) | (s[2] >>> 11)) + t)|0;
    return t >>> 0;
};
/* a number from 0 to 1, 1 excluded, of 53 bits */
const l_rand = function() {
    return (rand_word() * 0x200000 + (rand_word() >>> 11)) / 0x20000000000000;
};
const l_srand = function(x) {
    let words = new Int32Array(new Float64Array([x]).buffer);
    rand_state = [words[0], words[1], 0x5eed5eed, 1];
    for (let i = 0; i < 12; i++) rand_word();
};`,
  },
  {
    file: "lmathlib.js",
    why: "as above",
    find: "let r = (rand_state === void 0)?Math.random():(l_rand() / 0x80000000);",
    replace: "let r = (rand_state === void 0)?Math.random():l_rand();",
  },
  {
    file: "lmathlib.js",
    why: "an interval may be as wide as doubles can count",
    find: `    luaL_argcheck(L, low >= 0 || up <= LUA_MAXINTEGER + low, 1,
        "interval too large");
`,
    replace: `    luaL_argcheck(L, up - low < Number.MAX_SAFE_INTEGER, 1,
        "interval too large");
`,
  },
  {
    file: "lmathlib.js",
    why: "-(-2^31) does not fit into an integer",
    find: "        if (n < 0) n = (-n)|0;",
    replace: "        if (n < 0) n = -n;",
  },
  {
    file: "lmathlib.js",
    why: "arguments must be numbers, or texts of numbers (Lua 5.1, LuaJIT)",
    find: `    luaL_argcheck(L, n >= 1, 1, "value expected");
    for (let i = 2; i <= n; i++){
        if (lua_compare(L, i, imin, LUA_OPLT))
            imin = i;
    }
    lua_pushvalue(L, imin);`,
    replace: `    let min = luaL_checknumber(L, 1);
    for (let i = 2; i <= n; i++){
        let x = luaL_checknumber(L, i);
        if (x < min) {
            min = x;
            imin = i;
        }
    }
    pushnumint(L, min);`,
  },
  {
    file: "lmathlib.js",
    why: "as above",
    find: `    luaL_argcheck(L, n >= 1, 1, "value expected");
    for (let i = 2; i <= n; i++){
        if (lua_compare(L, imax, i, LUA_OPLT))
            imax = i;
    }
    lua_pushvalue(L, imax);`,
    replace: `    let max = luaL_checknumber(L, 1);
    for (let i = 2; i <= n; i++){
        let x = luaL_checknumber(L, i);
        if (max < x) {
            max = x;
            imax = i;
        }
    }
    pushnumint(L, max);`,
  },
  {
    file: "lmathlib.js",
    why: "fmod(5, 0) is nan, fmod(-4, 2) is -0 (C, Lua 5.1, LuaJIT)",
    find: `    if (lua_isinteger(L, 1) && lua_isinteger(L, 2)) {
        let d = lua_tointeger(L, 2);`,
    through: `        lua_pushnumber(L, a%b);
    }`,
    replace: "    pushnumint(L, luaL_checknumber(L, 1) % luaL_checknumber(L, 2));",
  },
  {
    file: "lmathlib.js",
    why: "the parts of a negative number are negative, also when they are 0",
    find: "    if (lua_isinteger(L, 1)) {\n        lua_settop(L, 1);  /* number is its own integer part */",
    through: "        lua_pushnumber(L, n === ip ? 0 : n - ip);\n    }",
    replace: `    let n = luaL_checknumber(L, 1);
    let ip = Math.trunc(n);
    pushnumint(L, ip);
    let fraction = n === ip ? 0 : n - ip;
    pushnumint(L, n < 0 && fraction === 0 ? -0 : fraction);`,
  },
  {
    file: "lmathlib.js",
    why: "an integer that outgrew 32 bits is still one for programs that choose between %d and %g by it",
    find: '        if (lua_isinteger(L, 1))\n            lua_pushliteral(L, "integer");',
    replace: `        let n = lua_tonumber(L, 1);
        if (lua_isinteger(L, 1) || (Number.isSafeInteger(n) && (n|0) !== n))
            lua_pushliteral(L, "integer");`,
  },
  {
    file: "lmathlib.js",
    why: "the largest integer is the largest up to which all can be told apart",
    find: "    lua_pushinteger(L, LUA_MAXINTEGER);",
    replace: "    lua_pushinteger(L, Number.MAX_SAFE_INTEGER);",
  },
  {
    file: "lmathlib.js",
    why: "as above",
    find: "    lua_pushinteger(L, LUA_MININTEGER);",
    replace: "    lua_pushinteger(L, Number.MIN_SAFE_INTEGER);",
  },
  {
    file: "lmathlib.js",
    why: "math.type reads the number",
    find: "    lua_tointegerx,\n    lua_type",
    replace: "    lua_tointegerx,\n    lua_tonumber,\n    lua_type",
  },
];
