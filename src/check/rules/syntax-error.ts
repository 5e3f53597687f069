/** `syntax-error`: files that are no Lua. */

import type { Finding } from "../finding.ts";
import type { Tree } from "../tree.ts";

export function* syntaxErrors(tree: Tree): Iterable<Finding> {
  for (const file of tree.files) {
    const { error } = file.reading.facts;
    if (error !== undefined) yield tree.finding("syntax-error", file, error);
  }
}
