/** Evaluation: the order of list constructors, the identity of functions, the price of the count hook. */

import type { Edit } from "../edit.ts";

export const evaluation: readonly Edit[] = [
  {
    file: "lvm.js",
    why: "tables keep the order of insertion: pairs({10, 20, 30}) visited 3, 2, 1, where LuaJIT visits 1, 2, 3",
    find: `                for (; n > 0; n--) {
                    ltable.luaH_setint(h, last--, L.stack[ra + n]);
                }`,
    replace: `                for (let k = 1; k <= n; k++) {
                    ltable.luaH_setint(h, last - n + k, L.stack[ra + k]);
                }`,
  },
  {
    file: "lvm.js",
    why: "evaluating a function twice gives two functions in 5.1: setfenv on one of them must not reach the other",
    find: "let ncl = getcached(p, cl.upvals, L.stack, base);  /* cached closure */",
    replace: "let ncl = null;",
  },
  {
    file: "lvm.js",
    why: "a count hook alone has nothing to do until it is due: the call for each instruction cost up to a third",
    find: `        if (L.hookmask & (LUA_MASKLINE | LUA_MASKCOUNT)) {
            ldebug.luaG_traceexec(L);
        }`,
    replace: `        if (L.hookmask === LUA_MASKCOUNT && L.hookcount > 1) {
            L.hookcount--;
        } else if (L.hookmask & (LUA_MASKLINE | LUA_MASKCOUNT)) {
            ldebug.luaG_traceexec(L);
        }`,
  },
  {
    file: "lstrlib.js",
    why: "the number of the argument was missing, so the message of string.char(256) was rubbish",
    find: `luaL_argcheck(L, c >= 0 && c <= 255, "value out of range"); // Strings are 8-bit clean`,
    replace: `luaL_argcheck(L, c >= 0 && c <= 255, i, "value out of range"); // Strings are 8-bit clean`,
  },
  {
    file: "luaconf.js",
    why: "paths in messages are the paths of files: cut to 59 bytes they name none, and no program can find them",
    find: "const LUA_IDSIZE = conf.LUA_IDSIZE || (60-1);",
    replace: "const LUA_IDSIZE = conf.LUA_IDSIZE || (1024-1);",
  },
];
