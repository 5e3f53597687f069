/** Where the nodes of a syntax tree stand in the text. */

/** luaparse's types leave it out. */
interface Ranged {
  readonly range?: readonly [start: number, end: number];
}

/** Bytes from the start of the text at which a node begins. */
export function offsetOf(node: object): number {
  return (node as Ranged).range?.[0] ?? 0;
}

/** Bytes from the start of the text at which it ends. */
export function endOf(node: object): number {
  return (node as Ranged).range?.[1] ?? 0;
}
