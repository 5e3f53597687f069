/** Reads the target of a request line as nginx does: host, decoded and normalised path, query. */

export interface Target {
  /** Host and port of the absolute form, `http://host/path`; undefined in the usual form. */
  readonly authority: string | undefined;
  /** Decoded and normalised (`$uri`). */
  readonly uri: string;
  /** Query without question mark (`$args`). */
  readonly args: string;
}

/**
 * Parses a target. Undefined where nginx answers 400: neither `/path` nor `scheme://host/path`, a broken escape, `%00`,
 * `..` above the root, a control character. A fragment is cut off (ngx_http_parse_complex_uri).
 */
export function parseTarget(target: string): Target | undefined {
  if (target.charCodeAt(0) === slash) return parsePath(target, undefined);
  const [, authority, rest] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#@]+)(?=[/?#]|$)(.*)$/is.exec(target) ?? [];
  if (authority === undefined || rest === undefined) return undefined;
  return parsePath(rest.startsWith("/") ? rest : `/${rest}`, authority);
}

const slash = 0x2f;

function parsePath(target: string, authority: string | undefined): Target | undefined {
  let end = target.length;
  if (target.includes("#")) end = target.indexOf("#");
  const question = target.indexOf("?");
  const hasArgs = question >= 0 && question < end;
  const path = target.slice(0, hasArgs ? question : end);
  const args = hasArgs ? target.slice(question + 1, end) : "";
  const uri = normalisePath(path);
  return uri === undefined ? undefined : { authority, uri, args };
}

/** Decodes escapes, merges slashes, resolves `.` and `..`; undefined when nginx refuses the path, which starts with `/`. */
export function normalisePath(path: string): string | undefined {
  const decoded = path.includes("%") ? decode(path) : path;
  if (decoded === undefined) return undefined;
  if (!decoded.includes("//") && !decoded.includes("/.")) return decoded;
  const kept: string[] = [];
  const parts = decoded.split("/");
  const last = parts.length - 1;
  for (let index = 1; index < last; index += 1) {
    const part = parts[index] as string;
    if (part === "..") {
      if (kept.pop() === undefined) return undefined;
    } else if (part !== "" && part !== ".") {
      kept.push(part);
    }
  }
  // What a dot or two stand for is a folder: the path ends with a slash then.
  let name = parts[last] as string;
  if (name === ".." && kept.pop() === undefined) return undefined;
  if (name === "." || name === "..") name = "";
  kept.push(name);
  return `/${kept.join("/")}`;
}

/** Every `%XX` as its byte. An escaped slash or dot is a slash or dot from here on, as in nginx. */
function decode(path: string): string | undefined {
  let decoded = "";
  let copied = 0;
  for (let at = path.indexOf("%"); at >= 0; at = path.indexOf("%", copied)) {
    const high = hexDigit(path.charCodeAt(at + 1));
    const low = hexDigit(path.charCodeAt(at + 2));
    const byte = high * 16 + low;
    // NaN, where the text ends or is no digit, fails here as well.
    if (!(byte > 0)) return undefined;
    decoded += path.slice(copied, at) + String.fromCharCode(byte);
    copied = at + 3;
  }
  return decoded + path.slice(copied);
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}
