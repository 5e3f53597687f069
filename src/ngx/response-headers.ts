/** The response's header lines as nginx keeps them: which replace each other, which repeat, what is escaped. */

import { replaceHeader } from "./header-lines.ts";

/** Headers of which nginx keeps one: of several values the last stands (lua-nginx-module, headers_out). */
const single = new Set([
  "server",
  "date",
  "content-encoding",
  "location",
  "refresh",
  "last-modified",
  "content-range",
  "accept-ranges",
  "www-authenticate",
  "expires",
  "etag",
  "content-length",
]);

/** What nginx takes off a response that turns into an error page (ngx_http_special_response_handler). */
const dropped = new Set(["content-length", "content-encoding", "last-modified", "etag", "accept-ranges"]);

const escaped = (byte: string): string =>
  `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;

/** Control characters, a tab excepted. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsafe = /[\x00-\x08\x0a-\x1f\x7f]/g;

/** Bytes that may not stand in a header name or value travel as %XX: no value of Lua's can add a header line. */
function safeName(name: string): string {
  return name.replaceAll(/[^!#$%&'*+\-.^_`|~0-9A-Za-z]/g, escaped);
}
function safeValue(value: string): string {
  return value.replaceAll(unsafe, escaped);
}

export class ResponseHeaders {
  /** Without it, and unless Lua removed it, nginx's `default_type` stands in. */
  contentType: string | undefined;
  #contentTypeChosen = false;
  /** Names and values in turn; Content-Type is not among them. */
  readonly #lines: string[] = [];

  /** Names and values in turn, without Content-Type. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Values of a header; `lowered` is its name in lower case with dashes. */
  get(lowered: string): readonly string[] {
    if (lowered === "content-type") return this.contentType === undefined ? [] : [this.contentType];
    const values: string[] = [];
    for (let index = 0; index < this.#lines.length; index += 2) {
      if ((this.#lines[index] as string).toLowerCase() === lowered)
        values.push(this.#lines[index + 1] as string);
    }
    return values;
  }

  /**
   * Replaces a header; no values, or empty ones, remove it. False when the value does not fit the header
   * (a Content-Length that is no number).
   */
  set(name: string, values: readonly string[]): boolean {
    const lowered = name.toLowerCase();
    const last = values.at(-1) ?? "";
    if (lowered === "content-type") {
      this.contentType = last === "" ? undefined : safeValue(last);
      this.#contentTypeChosen = true;
      return true;
    }
    if (lowered === "content-length" && last !== "" && !/^\d+$/.test(last)) return false;
    const kept = (single.has(lowered) ? [last] : values).filter((value) => value !== "");
    replaceHeader(this.#lines, safeName(name), kept.map(safeValue));
    return true;
  }

  /** nginx's built-in `default_type`, unless Lua chose one or the status has no content. */
  chooseContentType(status: number): void {
    if (status === 204) this.contentType = undefined;
    else if (this.contentType === undefined && !this.#contentTypeChosen && status !== 304) {
      this.contentType = "text/plain";
    }
  }

  /** Leaves what may stand beside an error page, which brings a content type and a length of its own. */
  reduceToErrorPage(): void {
    this.contentType = undefined;
    this.#contentTypeChosen = true;
    for (let index = this.#lines.length - 2; index >= 0; index -= 2) {
      if (dropped.has((this.#lines[index] as string).toLowerCase())) this.#lines.splice(index, 2);
    }
  }

  /** Names and values in turn, complete. */
  toHead(): readonly string[] {
    return this.contentType === undefined ? this.#lines : ["Content-Type", this.contentType, ...this.#lines];
  }
}
