/** Calls: hooks that survive a caught error, a stack that stays an array, no checks of the C API's callers. */

import type { Edit } from "../edit.ts";

const slow = "delete makes V8 turn the stack into a dictionary: 1.5 times slower calls";

/** `delete PLACE;` becomes `PLACE = void 0;`, at all places of this spelling. */
function cleared(file: string, place: string, times: number): Edit {
  return { file, why: slow, find: `delete ${place};`, times, replace: `${place} = void 0;` };
}

export const calls: readonly Edit[] = [
  {
    file: "lapi.js",
    why: "C means (st & ~OAH) | allowhook: after an error caught in a coroutine, hooks were off for good",
    find: "ci.callstatus &= ~lstate.CIST_OAH | L.allowhook;",
    replace: "ci.callstatus = (ci.callstatus & ~lstate.CIST_OAH) | L.allowhook;",
  },
  cleared("lapi.js", "L.stack[--L.top]", 16),
  cleared("lapi.js", "L.stack[L.top]", 1),
  cleared("lapi.js", "from.stack[from.top + i]", 1),
  cleared("ldebug.js", "L.stack[--L.top]", 1),
  cleared("ldo.js", "L.stack[--L.top]", 3),
  cleared("ldo.js", "L.stack[i]", 2),
  cleared("lparser.js", "L.stack[--L.top]", 1),
  cleared("ltm.js", "L.stack[--L.top]", 1),
  cleared("lvm.js", "L.stack[--L.top]", 3),
  {
    file: "llimits.js",
    why: "assertions of Fengari itself, compiled in although it passes them all; C Lua compiles them out",
    find: `const lua_assert = function(c) {
    if (!c) throw Error("assertion failed");
};`,
    replace: "const lua_assert = function() {};",
  },
  {
    file: "llimits.js",
    why: "as above",
    find: `const api_check = function(l, e, msg) {
    if (!e) throw Error(msg);
};`,
    replace: "const api_check = function() {};",
  },
  {
    file: "ltable.js",
    why: "#t took a binary search each time; in a plain sequence the number of entries is the border",
    find: "    let j = t.strong.size + 1; /* use known size of Map to kick start search */",
    replace: `    let j = t.strong.size + 1; /* use known size of Map to kick start search */
    if (j > 1 && t.strong.has(j - 1) && !t.strong.has(j)) return j - 1;`,
  },
  {
    file: "ldebug.js",
    why: "programs ask debug.getinfo whether a function is written in C",
    find: `to_luastring("=[JS]", true);`,
    replace: `to_luastring("=[C]", true);`,
  },
  {
    file: "ldebug.js",
    why: "as above",
    find: `ar.what = to_luastring("J", true);`,
    replace: `ar.what = to_luastring("C", true);`,
  },
  {
    file: "ldo.js",
    why: "Lua's own message (manual 4.7, ldo.c)",
    find: "attempt to yield across a JS-call boundary",
    replace: "attempt to yield across a C-call boundary",
  },
  {
    file: "ldo.js",
    why: "Lua's own message",
    find: `"JS stack overflow"`,
    times: 2,
    replace: `"C stack overflow"`,
  },
  { file: "lparser.js", why: "Lua's own message", find: `"JS levels"`, times: 2, replace: `"C levels"` },
  {
    file: "lapi.js",
    why: "the other questions of the API answer with booleans",
    find: "    return isvalid(o1) && isvalid(o2) ? lvm.luaV_equalobj(null, o1, o2) : 0;",
    replace: "    return isvalid(o1) && isvalid(o2) && lvm.luaV_equalobj(null, o1, o2) === 1;",
  },
];
