// Fengari as Relua imports it: the functions of its libraries by themselves, so that a call of one is no search in an
// object of hundreds.
import fengari from "./fengari.js";

export * as lauxlib from "./lauxlib.mjs";
export * as lua from "./lua.mjs";
export * as lualib from "./lualib.mjs";
// As the object that it is: the limits in it are there to be set.
export const { luaconf, luastring_eq, to_jsstring, to_luastring } = fengari;
