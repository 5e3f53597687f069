/** Puts together the header lines of a response: Lua's, without those that say how the message is framed. */

/** What stands on every response of the data plane. */
export interface Signature {
  readonly generation: number;
  /** 0 where no VM took part. */
  readonly vm: number;
}

export interface ResponseLines {
  /** Names and values in turn. */
  readonly lines: string[];
  /** The Content-Length that Lua set. */
  readonly contentLength: number | undefined;
  /** Lua set `Connection: close`. */
  readonly close: boolean;
}

/** The lines of `given`, and `signature` (undefined where it is not to be shown). */
export function responseLines(given: readonly string[], signature: Signature | undefined): ResponseLines {
  const lines = ["Server", "relua"];
  let contentLength: number | undefined;
  let close = false;
  for (let index = 0; index < given.length; index += 2) {
    const name = given[index] as string;
    const value = given[index + 1] as string;
    switch (framing(name)) {
      case "content-length":
        contentLength = Number(value);
        break;
      case "connection":
        close ||= /\bclose\b/i.test(value);
        break;
      case "server":
        lines[1] = value;
        break;
      case "dropped":
        break;
      default:
        lines.push(name, value);
    }
  }
  if (signature !== undefined) {
    lines.push("x-relua-generation", `${signature.generation}`, "x-relua-vm", `${signature.vm}`);
  }
  return { lines, contentLength, close };
}

/** Headers that are the data plane's own business; a switch on the length spares most names the comparison. */
function framing(name: string): "content-length" | "connection" | "server" | "dropped" | undefined {
  switch (name.length) {
    case 6:
      return name.toLowerCase() === "server" ? "server" : undefined;
    case 7:
      return name.toLowerCase() === "trailer" ? "dropped" : undefined;
    case 10: {
      const lowered = name.toLowerCase();
      if (lowered === "connection") return "connection";
      return lowered === "keep-alive" ? "dropped" : undefined;
    }
    case 14:
      return name.toLowerCase() === "content-length" ? "content-length" : undefined;
    case 17:
      return name.toLowerCase() === "transfer-encoding" ? "dropped" : undefined;
    default:
      return undefined;
  }
}
