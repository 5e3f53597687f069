/** Looks through a request's header lines once, for what the data plane itself needs of them. */

export interface RequestHead {
  /** Value of the Host header; undefined when there is none. */
  readonly host: string | undefined;
  /** Host headers; nginx takes one at most. */
  readonly hosts: number;
  /** Bytes of the body: 0 without one, undefined when it is chunked and its length is not known yet. */
  readonly bodyBytes: number | undefined;
}

/** `lines` are names and values in turn. The parser has checked that the lengths are numbers and not in conflict. */
export function readRequestHead(lines: readonly string[]): RequestHead {
  let host: string | undefined;
  let hosts = 0;
  let bodyBytes: number | undefined = 0;
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index] as string;
    // Lengths are compared first: most headers are none of these.
    if (name.length === 4 && name.toLowerCase() === "host") {
      host = lines[index + 1];
      hosts += 1;
    } else if (name.length === 14 && name.toLowerCase() === "content-length") {
      bodyBytes = Number(lines[index + 1]);
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      bodyBytes = undefined;
    }
  }
  return { host, hosts, bodyBytes };
}
