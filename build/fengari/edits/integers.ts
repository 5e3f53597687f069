/**
 * Integers: Fengari's have 32 bits and wrap around; LuaJIT's numbers are doubles. Here a 32-bit integer is no more
 * than a fast way to hold a double that fits: what does not fit goes on as a float, and nothing else tells the two
 * apart. So 1 % 0 is nan and 1 // 0 is inf, as they are for doubles, and -0 exists.
 *
 * Kept from 5.3 where it is better than LuaJIT: a % b is exact (LuaJIT's a - floor(a / b) * b is nan for
 * 5 % math.huge). Kept although it differs: bit operators work on 32 bits. Better than both: an integer argument that
 * is out of range is the nearest one in range, so s:sub(1, math.huge) is all of s.
 */

import type { Edit } from "../edit.ts";

const overflow = "32-bit overflow goes on as a float instead of wrapping around";
const bits = "bit operators take every integral number modulo 2^32, since 0xffffffff is a float now";

export const integers: readonly Edit[] = [
  {
    file: "lobject.js",
    why: "the one place that decides how a number is held",
    find: `    chgivalue(x) {`,
    replace: `    /* an integer where it fits into 32 bits (there is no integer -0), else a float */
    setnvalue(x) {
        this.type = (x|0) === x && !Object.is(x, -0) ? LUA_TNUMINT : LUA_TNUMFLT;
        this.value = x;
    }

    chgivalue(x) {`,
  },
  {
    file: "lvm.js",
    why: overflow,
    find: "setivalue((op1.value + op2.value)|0)",
    replace: "setnvalue(op1.value + op2.value)",
  },
  {
    file: "lvm.js",
    why: overflow,
    find: "setivalue((op1.value - op2.value)|0)",
    replace: "setnvalue(op1.value - op2.value)",
  },
  {
    file: "lvm.js",
    why: overflow,
    find: "setivalue(luaV_imul(op1.value, op2.value))",
    replace: "setnvalue(op1.value * op2.value)",
  },
  {
    file: "lvm.js",
    why: overflow,
    find: "setivalue(luaV_mod(L, op1.value, op2.value))",
    replace: "setnvalue(luaV_mod(L, op1.value, op2.value))",
  },
  {
    file: "lvm.js",
    why: overflow,
    find: "setivalue(luaV_div(L, op1.value, op2.value))",
    replace: "setnvalue(luaV_div(L, op1.value, op2.value))",
  },
  { file: "lvm.js", why: overflow, find: "setivalue((-op.value)|0)", replace: "setnvalue(-op.value)" },
  {
    file: "lvm.js",
    why: "with one kind of number, n // 0 is inf or nan",
    find: `    if (n === 0)
        ldebug.luaG_runerror(L, to_luastring("attempt to divide by zero"));
    return Math.floor(m / n)|0;`,
    replace: "    return Math.floor(m / n) + 0;  /* never -0 */",
  },
  {
    file: "lvm.js",
    why: "with one kind of number, n % 0 is nan (Lua 5.1, LuaJIT)",
    find: `    if (n === 0)
        ldebug.luaG_runerror(L, to_luastring("attempt to perform 'n%%0'"));
    return (m - Math.floor(m / n) * n)|0;`,
    replace: `    if (n === 0) return NaN;
    return m - Math.floor(m / n) * n;`,
  },
  {
    file: "llimits.js",
    why: "-4.0 % 2 is 0, not -0 (Lua 5.1, LuaJIT)",
    find: `        m += b;
    return m;`,
    replace: `        m += b;
    return m + 0;`,
  },
  {
    file: "llimits.js",
    why: "C's pow: 1 to whatever power is 1, and so is -1 to an infinite one; JavaScript says nan",
    find: "module.exports.luai_nummod = luai_nummod;",
    replace: `module.exports.luai_nummod = luai_nummod;

const luai_numpow = function(a, b) {
    if (a === 1 || (a === -1 && (b === Infinity || b === -Infinity))) return 1;
    return Math.pow(a, b);
};
module.exports.luai_numpow = luai_numpow;`,
  },
  {
    file: "lvm.js",
    why: "as above",
    find: "Math.pow(numberop1, numberop2)",
    replace: "luai_numpow(numberop1, numberop2)",
  },
  {
    file: "lvm.js",
    why: "as above",
    find: `    lua_assert,
    luai_nummod
} = require('./llimits.js');`,
    replace: `    lua_assert,
    luai_nummod,
    luai_numpow
} = require('./llimits.js');`,
  },
  { file: "lobject.js", why: "as above", find: "Math.pow(v1, v2)", replace: "luai_numpow(v1, v2)" },
  {
    file: "lobject.js",
    why: "as above",
    find: `    luai_nummod,
    lua_assert
}`,
    replace: `    luai_nummod,
    luai_numpow,
    lua_assert
}`,
  },

  // Constant folding and lua_arith.
  { file: "lobject.js", why: overflow, find: "return (v1 + v2)|0;", replace: "return v1 + v2;" },
  { file: "lobject.js", why: overflow, find: "return (v1 - v2)|0;", replace: "return v1 - v2;" },
  { file: "lobject.js", why: overflow, find: "return lvm.luaV_imul(v1, v2);", replace: "return v1 * v2;" },
  { file: "lobject.js", why: overflow, find: "return (0 - v1)|0;", replace: "return -v1;" },
  {
    file: "lobject.js",
    why: overflow,
    find: "res.setivalue(intarith(L, op, p1.value, p2.value));",
    replace: "res.setnvalue(intarith(L, op, p1.value, p2.value));",
  },

  // Numeric for.
  {
    file: "lvm.js",
    why: "a limit beyond 32 bits, or infinite, is compared as it is",
    find: `        if (0 < n) {
            ilimit = LUA_MAXINTEGER;
            if (step < 0) stopnow = true;
        } else {
            ilimit = LUA_MININTEGER;
            if (step >= 0) stopnow = true;
        }`,
    replace: "        ilimit = n;",
  },
  {
    file: "lvm.js",
    why: overflow,
    find: "plimit.value = forlim.ilimit;",
    replace: "plimit.setnvalue(forlim.ilimit);",
  },
  {
    file: "lvm.js",
    why: overflow,
    find: "init.value = (initv - pstep.value)|0;",
    replace: "init.setnvalue(initv - pstep.value);",
  },
  {
    file: "lvm.js",
    why: "a loop that leaves 32 bits goes on as a floating loop",
    find: "let idx = (L.stack[ra].value + step)|0;",
    replace: "let idx = L.stack[ra].value + step;",
  },
  {
    file: "lvm.js",
    why: "as above",
    find: `                        L.stack[ra].chgivalue(idx);  /* update internal index... */
                        L.stack[ra + 3].setivalue(idx);`,
    replace: `                        L.stack[ra].setnvalue(idx);  /* update internal index... */
                        L.stack[ra + 3].setnvalue(idx);`,
  },

  // Bit operators.
  {
    file: "lvm.js",
    why: bits,
    find: "if ((numberop1 = tointeger(op1)) !== false && (numberop2 = tointeger(op2)) !== false) {",
    times: 5,
    replace: "if ((numberop1 = tobits(op1)) !== false && (numberop2 = tobits(op2)) !== false) {",
  },
  {
    file: "lvm.js",
    why: bits,
    find: `                if (op.ttisinteger()) {
                    L.stack[ra].setivalue(~op.value);`,
    replace: `                let numberop = tobits(op);

                if (numberop !== false) {
                    L.stack[ra].setivalue(~numberop);`,
  },
  {
    file: "lvm.js",
    why: bits,
    find: "const tonumber = function(o) {",
    replace: `/* the operand of a bit operator: an integral number modulo 2^32 */
const tobits = function(o) {
    if (o.ttisinteger()) return o.value;
    let n = tonumber(o);
    return n !== false && Math.floor(n) === n && n - n === 0 ? n|0 : false;
};

const tonumber = function(o) {`,
  },
  {
    file: "lvm.js",
    why: bits,
    find: "module.exports.tointeger        = tointeger;",
    replace: "module.exports.tobits           = tobits;\nmodule.exports.tointeger        = tointeger;",
  },
  {
    file: "lobject.js",
    why: bits,
    find: "if ((i1 = lvm.tointeger(p1)) !== false && (i2 = lvm.tointeger(p2)) !== false) {",
    replace: "if ((i1 = lvm.tobits(p1)) !== false && (i2 = lvm.tobits(p2)) !== false) {",
  },

  // Keys.
  {
    file: "ltable.js",
    why: "the key -0 is the key 0",
    find: "k = new lobject.TValue(LUA_TNUMINT, kv);",
    replace: "k = new lobject.TValue(LUA_TNUMINT, kv|0);",
  },
  {
    file: "ltable.js",
    why: "an index beyond 32 bits is held as a float",
    find: "let k = new lobject.TValue(LUA_TNUMINT, key);",
    replace: "let k = new lobject.TValue((key|0) === key ? LUA_TNUMINT : LUA_TNUMFLT, key);",
  },

  // The C API and the library's arguments.
  {
    file: "lvm.js",
    why: "an integral number is an integer up to 2^63, as with lua_Integer of 64 bits",
    find: "        return lua_numbertointeger(f);",
    replace: "        return f >= -0x8000000000000000 && f < 0x8000000000000000 ? f + 0 : false;",
  },
  {
    file: "lapi.js",
    why: "integers beyond 32 bits are pushed as floats instead of raising a TypeError",
    find: `    fengari_argcheck(typeof n === "number" && (n|0) === n);
};`,
    replace: `    fengari_argcheck(Number.isInteger(n));
};

const newinteger = function(n) {
    return (n|0) === n ? new TValue(LUA_TNUMINT, n|0) : new TValue(LUA_TNUMFLT, n);
};`,
  },
  {
    file: "lapi.js",
    why: "as above",
    find: "L.stack[L.top] = new TValue(LUA_TNUMINT, n);",
    times: 3,
    replace: "L.stack[L.top] = newinteger(n);",
  },
  {
    file: "lauxlib.js",
    why: "an integer argument may have a fraction, which is cut off, and any size (Lua 5.1, LuaJIT)",
    find: `    let d = lua_tointegerx(L, arg);
    if (d === false)
        interror(L, arg);
    return d;`,
    replace: `    let d = lua_tonumberx(L, arg);
    if (d === false)
        interror(L, arg);
    if ((d|0) === d) return d|0;
    if (d !== d) return 0;
    return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Math.trunc(d), Number.MAX_SAFE_INTEGER)) + 0;`,
  },
];
