/** What the source text of one file says without being run. */

import type { EdgeKind } from "./graph.ts";

/** A place in a source text. */
export interface Place {
  /** From 1. */
  readonly line: number;
  /** From 1, in bytes. */
  readonly column: number;
}

/** Something that the text loads, by a name or path that stands in it. */
interface StaticLoad extends Place {
  /** `load`: while the chunk runs. `call`: inside a function. */
  readonly kind: EdgeKind;
  /** By pcall or xpcall: the code goes on without it. */
  readonly guarded: boolean;
}

/** A require of a literal name: `require "a.b"`, `pcall(require, "a.b")`, by a local alias of require as well. */
export interface StaticRequire extends StaticLoad {
  readonly name: string;
}

/** A dofile or loadfile of a literal path. */
export interface StaticFileLoad extends StaticLoad {
  /** As written. */
  readonly path: string;
}

/** What edges are made of; `check` reads more. All lists are in the order of the text. */
export interface SourceFacts {
  readonly requires: readonly StaticRequire[];
  /** Requires of names that are made at run time. */
  readonly dynamicRequires: readonly Place[];
  readonly fileLoads: readonly StaticFileLoad[];
  /** What keeps the text from being parsed; everything else is empty then. */
  readonly error?: Place & { readonly message: string };
}
