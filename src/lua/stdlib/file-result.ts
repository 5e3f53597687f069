/** What a system call's outcome looks like to Lua: true, or nil, a message as C's strerror writes it, errno. */

import { getSystemErrorMap } from "node:util";
import { lua, type lua_State } from "#fengari";
import { pushText } from "../stack.ts";

/** Where libuv's text, its first letter raised, is not glibc's. */
const texts: Readonly<Record<string, string>> = {
  EISDIR: "Is a directory",
  EEXIST: "File exists",
  ENOTEMPTY: "Directory not empty",
  EBADF: "Bad file descriptor",
  EXDEV: "Invalid cross-device link",
  ENOMEM: "Cannot allocate memory",
  ENAMETOOLONG: "File name too long",
};

const invalidArgument = { code: "EINVAL", errno: -22 };

/** Pushes true; returns 1. */
export function pushTrue(L: lua_State): number {
  lua.lua_pushboolean(L, true);
  return 1;
}

/** Pushes nil, `path: message` (or the message alone) and errno for an error of node:fs; returns 3. */
export function pushFileError(L: lua_State, error: unknown, path?: string): number {
  // An argument that Node refuses before the system sees it, such as a path with a zero byte, has no errno.
  const { code, errno } = isSystemError(error) ? error : invalidArgument;
  const described = texts[code] ?? getSystemErrorMap().get(errno)?.[1] ?? code;
  const message = described.charAt(0).toUpperCase() + described.slice(1);
  lua.lua_pushnil(L);
  pushText(L, path === undefined ? message : `${path}: ${message}`);
  lua.lua_pushinteger(L, -errno);
  return 3;
}

function isSystemError(error: unknown): error is { readonly code: string; readonly errno: number } {
  if (!(error instanceof Error)) throw error;
  return "errno" in error && typeof error.errno === "number" && "code" in error;
}

/** A system error that no call made, for streams that refuse by themselves. */
export function fileError(code: "EBADF" | "ESPIPE" | "ENOMEM"): Error {
  const errno = -{ EBADF: 9, ESPIPE: 29, ENOMEM: 12 }[code];
  return Object.assign(new Error(code), { code, errno });
}
