/** Dumping functions: what the canary compiled travels to every VM as bytecode. */

import type { Edit } from "../edit.ts";

const slow =
  "a new buffer for each byte and number took half of the canary's time; writers copy what they get";

export const dumping: readonly Edit[] = [
  {
    file: "ldump.js",
    why: slow,
    find: "const DumpByte = function(y, D) {\n    DumpBlock(luastring_of(y), 1, D);",
    replace: `const scratch = new Uint8Array(8);
const scratchView = new DataView(scratch.buffer);

const DumpByte = function(y, D) {
    scratch[0] = y;
    DumpBlock(scratch, 1, D);`,
  },
  {
    file: "ldump.js",
    why: slow,
    find: `    let ab = new ArrayBuffer(4);
    let dv = new DataView(ab);
    dv.setInt32(0, x, true);
    let t = new Uint8Array(ab);
    DumpBlock(t, 4, D);`,
    times: 2,
    replace: `    scratchView.setInt32(0, x, true);
    DumpBlock(scratch, 4, D);`,
  },
  {
    file: "ldump.js",
    why: slow,
    find: `    let ab = new ArrayBuffer(8);
    let dv = new DataView(ab);
    dv.setFloat64(0, x, true);
    let t = new Uint8Array(ab);
    DumpBlock(t, 8, D);`,
    replace: `    scratchView.setFloat64(0, x, true);
    DumpBlock(scratch, 8, D);`,
  },
];
