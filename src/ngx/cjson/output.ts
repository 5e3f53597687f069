/** A growing run of bytes, written by appending. */

const firstBytes = 1024;

export interface Output {
  bytes: Uint8Array;
  length: number;
}

export function createOutput(): Output {
  return { bytes: new Uint8Array(firstBytes), length: 0 };
}

/** Makes room for `more` bytes behind `length`. */
export function reserve(output: Output, more: number): void {
  const needed = output.length + more;
  if (needed <= output.bytes.length) return;
  const grown = new Uint8Array(Math.max(needed, output.bytes.length * 2));
  grown.set(output.bytes.subarray(0, output.length));
  output.bytes = grown;
}

export function appendByte(output: Output, byte: number): void {
  reserve(output, 1);
  output.bytes[output.length++] = byte;
}

/** Appends ASCII text. */
export function appendAscii(output: Output, text: string): void {
  reserve(output, text.length);
  const { bytes } = output;
  let at = output.length;
  for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index);
  output.length = at;
}
