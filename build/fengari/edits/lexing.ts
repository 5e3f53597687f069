/** Reading source text: the canary compiles every changed file, and names are most of what it reads. */

import type { Edit } from "../edit.ts";

export const lexing: readonly Edit[] = [
  {
    file: "llex.js",
    why: "each name was copied twice and hashed as a string; most names of a program are seen again and again",
    find: `const TVtrue = new lobject.TValue(LUA_TBOOLEAN, true);
const luaX_newstring = function(ls, str) {
    let L = ls.L;`,
    replace: `const TVtrue = new lobject.TValue(LUA_TBOOLEAN, true);

/*
** Names and short strings that were read last, of all chunks: a place keeps
** the younger of two with one hash. What is not found here is made anew.
*/
const INTERNED = 2048;
const LONGEST_INTERNED = 40;
const interned = new Array(INTERNED).fill(null);
/* Token of a reserved word, 0 of other names */
const interned_token = new Uint16Array(INTERNED);

/* Place of the string of 'n' bytes at 'from'; 'h' is what 'hash_step' made of them */
const intern = function(L, bytes, from, n, h) {
    let place = (h ^ (h >>> 11)) & (INTERNED - 1);
    let known = interned[place];
    if (known !== null && known.realstring.length === n) {
        let str = known.realstring;
        let i = 0;
        while (i < n && str[i] === bytes[from + i]) i++;
        if (i === n) return place;
    }
    let str = new Uint8Array(n);
    for (let i = 0; i < n; i++) str[i] = bytes[from + i];
    let ts = luaS_bless(L, str);
    let kidx = token_to_index[luaS_hashlongstr(ts)];
    interned[place] = ts;
    interned_token[place] = kidx !== void 0 && kidx <= 22 ? kidx + FIRST_RESERVED : 0;
    return place;
};

const hash_step = function(h, c) {
    return (Math.imul(h, 31) + c) | 0;
};

/* Reads a name or a reserved word, beginning with the current character */
const read_name = function(ls, seminfo) {
    let z = ls.z;
    let bytes = z.buffer;
    let at = z.off;
    let end = at + z.n;
    let buff = ls.buff;
    let saved = buff.buffer;
    let n = 0;
    let h = 0;
    let c = ls.current;
    do {
        if (n < saved.length) saved[n++] = c;
        else {
            buff.n = n;
            save(ls, c);
            saved = buff.buffer;
            n = buff.n;
        }
        h = hash_step(h, c);
        if (at < end) c = bytes[at++];
        else {
            z.off = at;
            z.n = 0;
            c = z.zgetc();
            bytes = z.buffer;
            at = z.off;
            end = at + Math.max(z.n, 0);
        }
    } while (lislalnum(c));
    z.off = at;
    z.n = end - at;
    ls.current = c;
    buff.n = n;
    if (n > LONGEST_INTERNED) {
        seminfo.ts = luaX_newstring(ls, luaZ_buffer(buff));
        return TK_NAME;
    }
    let place = intern(ls.L, saved, 0, n, h);
    seminfo.ts = interned[place];
    return interned_token[place] || TK_NAME;
};

/* Leaves the current character and all spaces behind it */
const skip_spaces = function(ls) {
    let z = ls.z;
    let bytes = z.buffer;
    let at = z.off;
    let end = at + z.n;
    while (at < end && bytes[at] === 32) at++;
    z.off = at;
    z.n = end - at;
    next(ls);
};

/* Leaves the current character and all behind it that ends no line */
const skip_line = function(ls) {
    let z = ls.z;
    let bytes = z.buffer;
    let at = z.off;
    let end = at + z.n;
    while (at < end && bytes[at] !== 10 && bytes[at] !== 13) at++;
    z.off = at;
    z.n = end - at;
    next(ls);
};

const luaX_newstring = function(ls, str) {
    let L = ls.L;
    let n = str.length;
    if (n <= LONGEST_INTERNED) {
        let h = 0;
        for (let i = 0; i < n; i++) h = hash_step(h, str[i]);
        return interned[intern(L, str, 0, n, h)];
    }`,
  },
  {
    file: "llex.js",
    why: "as above",
    find: `                    do {
                        save_and_next(ls);
                    } while (lislalnum(ls.current));
                    let ts = luaX_newstring(ls, luaZ_buffer(ls.buff));
                    seminfo.ts = ts;
                    let kidx = token_to_index[luaS_hashlongstr(ts)];
                    if (kidx !== void 0 && kidx <= 22)  /* reserved word? */
                        return kidx + FIRST_RESERVED;
                    else
                        return TK_NAME;
`,
    replace: `                    return read_name(ls, seminfo);
`,
  },
  {
    file: "llex.js",
    why: "a way through the whole switch for each space of an indentation",
    find: `            case 11 /* ('\\v').charCodeAt(0) */: {  /* spaces */
                next(ls);`,
    replace: `            case 11 /* ('\\v').charCodeAt(0) */: {  /* spaces */
                skip_spaces(ls);`,
  },
  {
    file: "llex.js",
    why: "comments are passed over faster in a loop of their own",
    find: `                while (!currIsNewline(ls) && ls.current !== EOZ)
                    next(ls);  /* skip until end of line (or end of file) */`,
    replace: `                while (!currIsNewline(ls) && ls.current !== EOZ)
                    skip_line(ls);  /* skip until end of line (or end of file) */`,
  },
  {
    file: "lcode.js",
    why: "of two names with one hash that take turns each is made anew: they are the same constants all the same",
    find: "f.k[k].ttype() === v.ttype() && f.k[k].value === v.value)",
    replace: `f.k[k].ttype() === v.ttype() &&
            (f.k[k].value === v.value || (v.ttisstring() && luaS_eqlngstr(f.k[k].value, v.value))))`,
  },
  {
    file: "lcode.js",
    why: "as above",
    find: `const ltable   = require('./ltable.js');`,
    replace: `const ltable   = require('./ltable.js');
const { luaS_eqlngstr } = require('./lstring.js');`,
  },
];
