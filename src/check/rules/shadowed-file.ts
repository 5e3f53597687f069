/** `shadowed-file`: files that no name reaches, because an earlier template answers for all of theirs. */

import type { Finding } from "../finding.ts";
import type { Tree } from "../tree.ts";

export function* shadowedFiles(tree: Tree): Iterable<Finding> {
  for (const file of tree.files) {
    const names = tree.namesOf(file.source.path);
    const [first] = names;
    if (first?.shadowedBy === undefined || names.some(({ shadowedBy }) => shadowedBy === undefined)) continue;
    yield tree.finding("shadowed-file", file, {
      line: 1,
      column: 1,
      message: `no name leads here: '${first.name}' is ${tree.shown(first.shadowedBy)}`,
    });
  }
}
