/** Dumping functions: what the canary compiled travels to every VM as bytecode. */

import type { Edit } from "../edit.ts";

const slow =
  "a call of the writer for each byte and number, of a new buffer each, took half of the canary's time; a function is dumped into one buffer that is kept, and the writer gets it in one piece, of which it takes a copy";

export const dumping: readonly Edit[] = [
  {
    file: "ldump.js",
    why: slow,
    find: `const DumpBlock = function(b, size, D) {`,
    through: `const DumpString = function(s, D) {`,
    replace: `let out = new Uint8Array(64 * 1024);
let at = 0;
const KEPT = 1024 * 1024;  /* a larger buffer is let go after its function */

const room = function(size) {
    if (at + size <= out.length) return;
    let grown = new Uint8Array(Math.max(out.length * 2, at + size));
    grown.set(out);
    out = grown;
};

const DumpBlock = function(b, size) {
    room(size);
    if (size > 32)
        out.set(b.subarray(0, size), at);
    else
        for (let i = 0; i < size; i++) out[at + i] = b[i];
    at += size;
};

const DumpByte = function(y) {
    room(1);
    out[at++] = y;
};

const DumpInt = function(x) {
    room(4);
    out[at] = x;
    out[at + 1] = x >> 8;
    out[at + 2] = x >> 16;
    out[at + 3] = x >> 24;
    at += 4;
};

const DumpInteger = DumpInt;

const scratch = new Uint8Array(8);
const scratchView = new DataView(scratch.buffer);

const DumpNumber = function(x) {
    scratchView.setFloat64(0, x, true);
    DumpBlock(scratch, 8);
};

const DumpString = function(s, D) {`,
  },
  {
    file: "ldump.js",
    why: slow,
    find: `    let s = f.code.map(e => e.code);
    DumpInt(s.length, D);

    for (let i = 0; i < s.length; i++)
        DumpInt(s[i], D);`,
    replace: `    let n = f.code.length;
    DumpInt(n, D);
    for (let i = 0; i < n; i++)
        DumpInt(f.code[i].code, D);`,
  },
  {
    file: "ldump.js",
    why: slow,
    find: `    DumpHeader(D);
    DumpByte(f.upvalues.length, D);
    DumpFunction(f, null, D);
    return D.status;`,
    replace: `    at = 0;
    DumpHeader(D);
    DumpByte(f.upvalues.length, D);
    DumpFunction(f, null, D);
    let status = D.writer(D.L, out.subarray(0, at), at, D.data);
    if (out.length > KEPT) out = new Uint8Array(64 * 1024);
    return status;`,
  },
];
