/** All edits that Relua makes to Fengari, and the version they are for. */

import type { Edit } from "./edit.ts";

export const fengariVersion = "0.1.5";

export const edits: readonly Edit[] = [];
