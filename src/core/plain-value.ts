/** Values that cross between JavaScript and Lua in `agent.call`. */

/** JSON-like; texts are UTF-8 in Lua. */
export type PlainValue =
  | null
  | boolean
  | number
  | string
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };
