/** Strings: keys that cannot collide, copies without iterators, patterns that find what they must. */

import type { Edit } from "../edit.ts";

export const strings: readonly Edit[] = [
  {
    file: "lstring.js",
    why: 'hex digits without padding make "\\1\\0" and "\\16" one key, and "\\r\\n" equal to "\\218"',
    find: `    let len = str.length;
    let s = "|";
    for (let i=0; i<len; i++)
        s += str[i].toString(16);
    return s;
};
`,
    replace: `    let len = str.length;
    if (len > 8) return latin1Slice.call(str, 0, len);
    let s = "";
    for (let i=0; i<len; i++)
        s += String.fromCharCode(str[i]);
    return s;
};

/* Works on every Uint8Array; below nine bytes the loop is faster than the way into C++. */
const latin1Slice = Buffer.prototype.latin1Slice;
`,
  },
  {
    file: "ltable.js",
    why: "keys of strings carry no mark any more, so those of light userdata need one that no byte has",
    find: `return "*" + v;`,
    replace: `return "\\u0100*" + v;`,
  },
  {
    file: "ltable.js",
    why: "as above",
    find: `return "#" + v;`,
    replace: `return "\\u0100#" + v;`,
  },
  {
    file: "ltable.js",
    why: "as above",
    find: `return v?"?true":"?false";`,
    replace: `return v?"\\u0100true":"\\u0100false";`,
  },
  {
    file: "defs.js",
    why: "Uint8Array.from goes through an iterator: ten times slower than the constructor",
    find: "    luastring_from = Uint8Array.from.bind(Uint8Array);",
    replace: "    luastring_from = (a) => new Uint8Array(a);",
  },
  {
    file: "defs.js",
    why: "to_luastring fills a generic array and copies it through an iterator",
    find: "    let outU8Array = Array(len); /* array is at *least* going to be length of string */",
    replace:
      "    let outU8Array = new Uint8Array(len * 3); /* UTF-8 takes three bytes per UTF-16 unit at most */",
  },
  {
    file: "defs.js",
    why: "as above",
    find: "    outU8Array = luastring_from(outU8Array);",
    replace: "    outU8Array = outU8Array.slice(0, outIdx);",
  },
  {
    file: "lauxlib.js",
    why: "luaL_addchar makes a typed array for every byte it adds",
    find: `    luaL_prepbuffsize(B, 1);
    B.b[B.n++] = c;`,
    replace: `    if (B.n >= B.b.length) luaL_prepbuffsize(B, 1);
    B.b[B.n++] = c;`,
  },
  {
    file: "lstrlib.js",
    why: "a match that ends at position 0 is a match",
    find: "        if (res) return res;",
    replace: "        if (res !== null) return res;",
  },
];
