/** Paths as people read them: relative to the prefix where they lie inside. */

/** Inside the prefix the rest of the path, outside the whole of it. */
export function relativeFile(path: string, prefix: string): string {
  const folder = prefix.endsWith("/") ? prefix : `${prefix}/`;
  return path.startsWith(folder) ? path.slice(folder.length) : path;
}

/** A text with paths in it. */
export function relativeText(text: string, prefix: string): string {
  return prefix === "/" ? text : text.replaceAll(`${prefix}/`, "");
}
