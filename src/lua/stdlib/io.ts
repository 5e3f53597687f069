/** `io` on real files, synchronous as in nginx; the standard streams lead to the log; `popen`, `tmpfile` are absent. */

import { lauxlib, lua, type lua_CFunction, type lua_State } from "#fengari";
import { bytesAt, pushText, raise, refTo, textAt, toBytes } from "../stack.ts";
import { openDiskFile } from "./disk-file.ts";
import { checkHandle, handleAt, handleType, pushHandle, streamAt } from "./file-handle.ts";
import { pushFileError, pushTrue } from "./file-result.ts";
import { extendLibrary, type Functions, setFunctions } from "./library.ts";
import { type ReadFormat, readFormats, readValues } from "./read-formats.ts";
import { createLineStream, emptyInput, type LuaStream, type Whence } from "./stream.ts";

/** Opens `io`; `line` and `errorLine` get what stdout and stderr are given; +0. */
export function openIo(L: lua_State, line: (text: string) => void, errorLine: (text: string) => void): void {
  lauxlib.luaL_newmetatable(L, handleType);
  lua.lua_pushvalue(L, -1);
  lua.lua_setfield(L, -2, toBytes("__index"));
  setFunctions(L, methods);
  lua.lua_pop(L, 1);
  const streams = {
    stdin: emptyInput,
    stdout: createLineStream(line),
    stderr: createLineStream(errorLine),
  };
  extendLibrary(L, "io", {});
  lua.lua_getglobal(L, toBytes("io"));
  for (const [name, stream] of Object.entries(streams)) {
    pushHandle(L, stream);
    lua.lua_setfield(L, -2, toBytes(name));
  }
  lua.lua_getfield(L, -1, toBytes("stdin"));
  const input = createDefault(L, "r");
  lua.lua_getfield(L, -1, toBytes("stdout"));
  const output = createDefault(L, "w");
  setFunctions(L, {
    open,
    type: typeOf,
    input: input.exchange,
    output: output.exchange,
    read: (L) => read(L, input.stream(L), 1),
    write: (L) => {
      const stream = output.stream(L);
      output.push(L);
      return write(L, stream, 1);
    },
    flush: (L) => flush(L, output.stream(L)),
    close: (L) => {
      if (lua.lua_isnone(L, 1)) output.push(L);
      return close(L);
    },
    lines: (L) => {
      if (!lua.lua_isnoneornil(L, 1)) return linesOf(L);
      return pushLines(L, input.stream(L), readFormats(L, 2), false);
    },
  });
  lua.lua_pop(L, 1);
}

/** Runs what touches the disk; a system error becomes nil, message, errno. */
function attempt(L: lua_State, action: () => number, path?: string): number {
  const top = lua.lua_gettop(L);
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    lua.lua_settop(L, top);
    return pushFileError(L, error, path);
  }
}

/** The same, but a system error is raised. */
function insist(L: lua_State, action: () => number): number {
  try {
    return action();
  } catch (error) {
    pushFileError(L, error);
    return raise(L, textAt(L, -2) ?? "");
  }
}

/** `io.open(path, mode)`: pushes a handle, or nil and why not. */
function open(L: lua_State): number {
  const path = lauxlib.luaL_checkstring(L, 1);
  lauxlib.luaL_optstring(L, 2, null);
  const mode = textAt(L, 2) ?? "r";
  return attempt(L, () => pushHandle(L, openDiskFile(path, mode)), textAt(L, 1));
}

/** Pushes the file of the path in argument 1, opened; +1. Raises for that argument when it cannot be. */
function pushOpened(L: lua_State, mode: "r" | "w"): void {
  const path = lauxlib.luaL_checkstring(L, 1);
  const pushed = attempt(L, () => pushHandle(L, openDiskFile(path, mode)), textAt(L, 1));
  if (pushed !== 1) lauxlib.luaL_argerror(L, 1, toBytes(textAt(L, -2) ?? ""));
}

function typeOf(L: lua_State): number {
  lauxlib.luaL_checkany(L, 1);
  const handle = handleAt(L, 1);
  if (handle === undefined) lua.lua_pushnil(L);
  else pushText(L, handle.stream === undefined ? "closed file" : "file");
  return 1;
}

/** The file that `io.read` or `io.write` means; takes the handle at the top; -1. */
function createDefault(L: lua_State, mode: "r" | "w") {
  const kind = mode === "r" ? "input" : "output";
  let push = refTo(L, -1);
  lua.lua_pop(L, 1);
  return {
    push: (L: lua_State) => push(L),
    stream(L: lua_State): LuaStream {
      push(L);
      const stream = handleAt(L, -1)?.stream;
      lua.lua_pop(L, 1);
      return stream ?? raise(L, `standard ${kind} file is closed`);
    },
    /** `io.input(file or path)`, `io.output(…)`: sets it when given one, returns it. */
    exchange(L: lua_State): number {
      if (lua.lua_isstring(L, 1)) {
        pushOpened(L, mode);
        push = refTo(L, -1);
      } else if (!lua.lua_isnoneornil(L, 1)) {
        checkHandle(L, 1);
        push = refTo(L, 1);
      }
      push(L);
      return 1;
    },
  };
}

function read(L: lua_State, stream: LuaStream, first: number): number {
  const formats = readFormats(L, first);
  return attempt(L, () => readValues(L, stream, formats));
}

/** Writes the arguments from `first` up to the file handle at the top, which is the result. */
function write(L: lua_State, stream: LuaStream, first: number): number {
  const end = lua.lua_gettop(L);
  for (let arg = first; arg < end; arg++) lauxlib.luaL_checkstring(L, arg);
  return attempt(L, () => {
    for (let arg = first; arg < end; arg++) stream.write(bytesAt(L, arg) ?? new Uint8Array(0));
    return 1;
  });
}

function flush(L: lua_State, stream: LuaStream): number {
  stream.flush();
  return pushTrue(L);
}

function close(L: lua_State): number {
  if (lua.lua_gettop(L) > 1) lua.lua_settop(L, 1);
  const stream = streamAt(L);
  if (stream.standard) {
    lua.lua_pushnil(L);
    pushText(L, "cannot close standard file");
    return 2;
  }
  checkHandle(L, 1).stream = undefined;
  return attempt(L, () => {
    stream.close();
    return pushTrue(L);
  });
}

/** `io.lines(path, …)`: closes the file at its end. */
function linesOf(L: lua_State): number {
  const formats = readFormats(L, 2);
  pushOpened(L, "r");
  return pushLines(L, handleAt(L, -1)?.stream ?? emptyInput, formats, true);
}

/** Pushes an iterator over the stream; +1. */
function pushLines(
  L: lua_State,
  stream: LuaStream,
  formats: readonly ReadFormat[],
  closeAtEnd: boolean,
): number {
  let open = true;
  const next: lua_CFunction = (L) => {
    if (!open) return raise(L, "file is already closed");
    lua.lua_settop(L, 0);
    const count = insist(L, () => readValues(L, stream, formats));
    if (closeAtEnd && lua.lua_isnil(L, 1)) {
      open = false;
      stream.close();
    }
    return count;
  };
  lua.lua_pushcfunction(L, next);
  return 1;
}

const methods: Functions = {
  close,
  flush: (L) => flush(L, streamAt(L)),
  lines: (L) => pushLines(L, streamAt(L), readFormats(L, 2), false),
  read: (L) => read(L, streamAt(L), 2),
  seek(L) {
    const stream = streamAt(L);
    lauxlib.luaL_optstring(L, 2, null);
    const whence = textAt(L, 2) ?? "cur";
    if (whence !== "set" && whence !== "cur" && whence !== "end")
      return lauxlib.luaL_argerror(L, 2, toBytes(`invalid option '${whence}'`));
    const offset = lauxlib.luaL_optnumber(L, 3, 0);
    return attempt(L, () => {
      const position = stream.seek(whence satisfies Whence, Math.trunc(offset));
      lua.lua_pushnumber(L, position);
      return 1;
    });
  },
  setvbuf(L) {
    streamAt(L);
    return pushTrue(L);
  },
  write(L) {
    const stream = streamAt(L);
    lua.lua_pushvalue(L, 1);
    return write(L, stream, 2);
  },
  __tostring(L) {
    pushText(L, checkHandle(L, 1).stream === undefined ? "file (closed)" : "file (open)");
    return 1;
  },
};
