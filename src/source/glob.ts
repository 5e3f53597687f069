/** Globs of `watch.ignore`: `*` and `?` within one path component, `**` across components. */

/**
 * Compiles a glob for absolute paths. A pattern that starts with `/` stands for the whole path, any other one for
 * its end: `vendor` matches `/a/vendor`, `vendor/*.lua` matches `/a/vendor/x.lua`.
 * `*` is any text without `/`, `?` one character but `/`, `**` between slashes any number of components.
 * Everything else is literal.
 */
export function compileGlob(pattern: string): RegExp {
  const anchored = pattern.startsWith("/") ? pattern : `/**/${pattern}`;
  const trimmed = anchored.length > 1 ? anchored.replace(/\/+$/, "") : anchored;
  let source = "";
  for (let at = 0; at < trimmed.length; ) {
    if (trimmed.startsWith("/**/", at)) {
      source += "/(?:[^/]+/)*";
      at += 4;
      // `/**/**/x` is `/**/x`: the slash just taken opens the next one as well.
      while (trimmed.startsWith("**/", at)) at += 3;
    } else if (trimmed.startsWith("/**", at) && at + 3 === trimmed.length) {
      source += "/.+";
      at += 3;
    } else if (trimmed[at] === "*") {
      source += "[^/]*";
      while (trimmed[at] === "*") at += 1;
    } else if (trimmed[at] === "?") {
      source += "[^/]";
      at += 1;
    } else {
      source += trimmed[at]?.replace(/[\\^$.|+()[\]{}]/, "\\$&") ?? "";
      at += 1;
    }
  }
  return new RegExp(`^${source}$`, "su");
}
