/** Everything that Relua changes about Fengari. */

import { join } from "node:path";
import { calls } from "./edits/calls.ts";
import { dates } from "./edits/dates.ts";
import { dumping } from "./edits/dumping.ts";
import { evaluation } from "./edits/evaluation.ts";
import { format } from "./edits/format.ts";
import { integers } from "./edits/integers.ts";
import { lexing } from "./edits/lexing.ts";
import { limits } from "./edits/limits.ts";
import { mathematics } from "./edits/mathematics.ts";
import { numerals } from "./edits/numerals.ts";
import { packing } from "./edits/packing.ts";
import { server } from "./edits/server.ts";
import { strings } from "./edits/strings.ts";
import type { Patch } from "./patch.ts";

export const patch: Patch = {
  version: "0.1.5",
  added: join(import.meta.dirname, "added"),
  faces: ["lua", "lauxlib", "lualib"],
  edits: [
    ...strings,
    ...calls,
    ...dumping,
    ...evaluation,
    ...lexing,
    ...integers,
    ...numerals,
    ...mathematics,
    ...format,
    ...packing,
    ...dates,
    ...limits,
    ...server,
  ],
};
