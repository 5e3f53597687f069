/** Gives what one of Fengari's files exports as an ES module: each name by itself, not as a field of an object. */

import { EditError } from "./edit.ts";

/**
 * The text of `<name>.mjs`, for `<name>.js` with the text `source`; Fengari's face has these exports as its field
 * `<name>`. Throws EditError when the file exports nothing.
 */
export function faceOf(name: string, source: string): string {
  const exported = [...source.matchAll(/^ *module\.exports\.(\w+)\s*=/gm)].map(([, field]) => field);
  if (exported.length === 0) throw new EditError(`fengari/src/${name}.js: no exports found (ES module)`);
  const fields = exported.map((field) => `  ${field},\n`).join("");
  return `import fengari from "./fengari.js";\n\nexport const {\n${fields}} = fengari.${name};\n`;
}
