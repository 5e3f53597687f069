/** Reads JSON strictly, keeping what JSON.parse drops: positions, and names that appear twice. */

/** A value with its place in the text. */
export type JsonNode =
  | { readonly kind: "object"; readonly at: number; readonly fields: readonly JsonField[] }
  | { readonly kind: "array"; readonly at: number; readonly items: readonly JsonNode[] }
  | {
      readonly kind: "string" | "primitive";
      readonly at: number;
      readonly value: string | number | boolean | null;
    };

export interface JsonField {
  readonly name: string;
  readonly at: number;
  readonly value: JsonNode;
}

export type JsonRead =
  | { readonly ok: true; readonly root: JsonNode }
  | { readonly ok: false; readonly at: number; readonly message: string };

/** Deeper nesting is refused: no document of ours comes near, and recursion must end before the stack does. */
const maxDepth = 100;

class Fault extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** RFC 8259, UTF-8 without a byte order mark. */
export function readJson(bytes: Uint8Array): JsonRead {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { ok: false, at: 0, message: "not UTF-8" };
  }
  try {
    const reader = new Reader(text);
    return { ok: true, root: reader.document() };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, at: error.at, message: error.message };
    throw error;
  }
}

/** The value as JSON.parse would give it; of a name that appears twice the last one. */
export function plainValueOf(node: JsonNode): unknown {
  switch (node.kind) {
    case "object":
      return Object.fromEntries(node.fields.map(({ name, value }) => [name, plainValueOf(value)]));
    case "array":
      return node.items.map(plainValueOf);
    default:
      return node.value;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonNode {
    const root = this.#value();
    this.#blank();
    if (this.#at < this.#text.length) throw new Fault(this.#at, "more behind the end of the document");
    return root;
  }

  #value(): JsonNode {
    this.#blank();
    const at = this.#at;
    const start = this.#text[at];
    if (start === "{") return this.#nested(() => ({ kind: "object", at, fields: this.#fields() }));
    if (start === "[") return this.#nested(() => ({ kind: "array", at, items: this.#items() }));
    if (start === '"') return { kind: "string", at, value: this.#string() };
    const token = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y);
    if (token === undefined)
      throw new Fault(at, start === undefined ? "the document ends too early" : "no value");
    return { kind: "primitive", at, value: JSON.parse(token) as number | boolean | null };
  }

  #nested(read: () => JsonNode): JsonNode {
    this.#depth++;
    if (this.#depth > maxDepth) throw new Fault(this.#at, `nested more than ${maxDepth} deep`);
    this.#at++;
    const node = read();
    this.#depth--;
    return node;
  }

  #fields(): JsonField[] {
    return this.#list("}", () => {
      const at = this.#at;
      if (this.#text[at] !== '"') throw new Fault(at, "no field name");
      const name = this.#string();
      this.#blank();
      if (this.#text[this.#at] !== ":") throw new Fault(this.#at, "no : behind a field name");
      this.#at++;
      return { name, at, value: this.#value() };
    });
  }

  #items(): JsonNode[] {
    return this.#list("]", () => this.#value());
  }

  #list<T>(end: string, element: () => T): T[] {
    const elements: T[] = [];
    this.#blank();
    if (this.#text[this.#at] === end) {
      this.#at++;
      return elements;
    }
    for (;;) {
      this.#blank();
      elements.push(element());
      this.#blank();
      const next = this.#text[this.#at];
      if (next !== "," && next !== end)
        throw new Fault(this.#at, next === undefined ? "the document ends too early" : `no , or ${end}`);
      this.#at++;
      if (next === end) return elements;
    }
  }

  #string(): string {
    const at = this.#at;
    const raw = this.#match(/"(?:[^"\\]|\\.)*"/sy);
    if (raw === undefined) throw new Fault(at, "a text without its end");
    try {
      return JSON.parse(raw) as string;
    } catch {
      throw new Fault(at, "a text with an invalid escape or a control character");
    }
  }

  #blank(): void {
    this.#match(/[ \t\r\n]*/y);
  }

  #match(sticky: RegExp): string | undefined {
    sticky.lastIndex = this.#at;
    const [found] = sticky.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}
