/** Limits: of one string's size, and of the stack. */

import type { Edit } from "../edit.ts";

const capped = "one call could ask for gigabytes, out of reach of any instruction hook";

export const limits: readonly Edit[] = [
  {
    file: "luaconf.js",
    why: "the setting; programs may change it, it is read at each use",
    find: "module.exports.LUAI_MAXSTACK          = LUAI_MAXSTACK;",
    replace: `module.exports.LUAI_MAXSTACK          = LUAI_MAXSTACK;
/* bytes of the longest string that Lua code can build */
module.exports.maxStringBytes         = 64 * 1024 * 1024;
/* called before a string of a mebibyte or more is made, with its bytes: strings are outside of V8's heap limit */
module.exports.largeString            = function() {};`,
  },
  {
    file: "luaconf.js",
    why: "an overflow of a million slots takes 1.1 s and 310 MB, of 50000 52 ms and 73 MB",
    find: "conf.LUAI_MAXSTACK || 1000000",
    replace: "50000",
  },
  {
    file: "luaconf.js",
    why: "the environment of a server does not configure its interpreter",
    find: "const conf = (process.env.FENGARICONF ? JSON.parse(process.env.FENGARICONF) : {});",
    replace: "const conf = {};",
  },
  {
    file: "lauxlib.js",
    why: capped,
    find: `const {
    LUAL_BUFFERSIZE
} = require('./luaconf.js');`,
    replace: `const luaconf = require('./luaconf.js');
const { LUAL_BUFFERSIZE } = luaconf;`,
  },
  {
    file: "lauxlib.js",
    why: `${capped} (buffers: concat, gsub, format, rep, char, pack)`,
    find: `    if (B.b.length < newend) {
        let newsize = Math.max(B.b.length * 2, newend);  /* double buffer size */`,
    replace: `    if (B.b.length < newend) {
        if (newend > luaconf.maxStringBytes)
            luaL_error(B.L, to_luastring("resulting string too large"));
        if (newend >= 1048576) luaconf.largeString(newend);
        let newsize = Math.max(B.b.length * 2, newend);  /* double buffer size */`,
  },
  {
    file: "lvm.js",
    why: `${capped} (the operator ..)`,
    find: "            let buff = new Uint8Array(tl);",
    replace: `            if (tl > luaconf.maxStringBytes)
                ldebug.luaG_runerror(L, to_luastring("resulting string too large", true));
            if (tl >= 1048576) luaconf.largeString(tl);
            let buff = new Uint8Array(tl);`,
  },
  {
    file: "lvm.js",
    why: "as above",
    find: "const ltm     = require('./ltm.js');",
    replace: "const ltm     = require('./ltm.js');\nconst luaconf = require('./luaconf.js');",
  },
  {
    file: "lstrlib.js",
    why: "string.rep copied piece by piece (1e8 bytes in 1.8 s), also nothing 2^31 times",
    find: `    if (n <= 0) lua_pushliteral(L, "");
    else if (l + lsep < l || l + lsep > MAXSIZE / n)  /* may overflow? */`,
    replace: `    if (n <= 0 || l + lsep === 0) lua_pushliteral(L, "");
    else if (l * n + lsep * (n - 1) > luaconf.maxStringBytes)`,
  },
  {
    file: "lstrlib.js",
    why: "as above",
    find: `        let pi = 0;
        while (n-- > 1) {  /* first n-1 copies (followed by separator) */`,
    through: "        p.set(s, pi);  /* last copy (not followed by separator) */",
    replace: `        p.set(s, 0);
        if (n > 1) {  /* doubles what is there: the first copy and a separator, then twice that, ... */
            p.set(sep, l);
            for (let filled = l + lsep; filled < totallen; filled *= 2)
                p.copyWithin(filled, 0, Math.min(filled, totallen - filled));
        }`,
  },
  {
    file: "lstrlib.js",
    why: "as above",
    find: `const {
    LUA_INTEGER_FMT,
    LUA_INTEGER_FRMLEN,
    LUA_MININTEGER,
    LUA_NUMBER_FMT,
    LUA_NUMBER_FRMLEN,
    frexp,
    lua_getlocaledecpoint
} = require('./luaconf.js');`,
    replace: "const luaconf = require('./luaconf.js');",
  },
];
