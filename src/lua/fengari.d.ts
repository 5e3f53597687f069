/**
 * Fengari's face as Relua uses it; package.json maps "#fengari" to this file for types and to the patched copy in
 * dist/fengari at run time. Semantics: Lua 5.3 manual, section 4. Where this says less than the manual, the manual
 * holds; where it says more, build/fengari has made it so.
 *
 * Not checked at run time: the patched copy has C's api_check compiled out. A wrong index reads undefined, a
 * function that pushes more than LUA_MINSTACK values without luaL_checkstack is on its own.
 */

/** A Lua string: bytes. What comes from the API is the string itself and must not be written to. */
export type LuaString = Uint8Array;
/** Returns the number of results, which are the topmost values. */
export type lua_CFunction = (L: lua_State) => number;
/** Continuation of a call or yield (manual 4.7); `ctx` is what was given to the call. */
export type lua_KFunction<Context = unknown> = (L: lua_State, status: number, ctx: Context) => number;
export type lua_Hook = (L: lua_State, ar: lua_Debug) => void;
/** Gives the next piece of a chunk, null at its end. */
export type lua_Reader<Data> = (L: lua_State, data: Data) => LuaString | null;
/** Takes `size` bytes of a dumped function; 0 to go on. `bytes` must be copied. */
export type lua_Writer<Data> = (L: lua_State, bytes: LuaString, size: number, data: Data) => number;

/** A Lua thread (coroutine) or the main state. */
export interface lua_State {
  readonly __lua_State: true;
}

/** An activation record (manual 4.9); which fields are filled depends on `what` of lua_getinfo. */
export interface lua_Debug {
  event: number;
  name: LuaString | null;
  namewhat: LuaString;
  /** `Lua`, `C`, `main`. */
  what: LuaString;
  source: LuaString;
  short_src: LuaString;
  /** -1 where there is no line. */
  currentline: number;
  linedefined: number;
  lastlinedefined: number;
  nups: number;
  nparams: number;
  isvararg: boolean;
  istailcall: boolean;
}

/** Texts that Fengari takes as bytes or, converted as UTF-8, as a JavaScript string. */
type Text = LuaString | string;
/** Pushes the value it was made from; of the same global state. */
type Proxy = (L: lua_State) => void;

interface Lua {
  readonly LUA_ERRERR: number;
  readonly LUA_ERRGCMM: number;
  readonly LUA_ERRMEM: number;
  readonly LUA_ERRRUN: number;
  readonly LUA_ERRSYNTAX: number;
  readonly LUA_OK: number;
  readonly LUA_YIELD: number;
  readonly LUA_HOOKCALL: number;
  readonly LUA_HOOKCOUNT: number;
  readonly LUA_HOOKLINE: number;
  readonly LUA_HOOKRET: number;
  readonly LUA_HOOKTAILCALL: number;
  readonly LUA_MASKCALL: number;
  readonly LUA_MASKCOUNT: number;
  readonly LUA_MASKLINE: number;
  readonly LUA_MASKRET: number;
  readonly LUA_MINSTACK: number;
  readonly LUA_MULTRET: number;
  readonly LUA_OPEQ: number;
  readonly LUA_OPLE: number;
  readonly LUA_OPLT: number;
  readonly LUA_REGISTRYINDEX: number;
  readonly LUA_RIDX_GLOBALS: number;
  readonly LUA_RIDX_MAINTHREAD: number;
  readonly LUA_SIGNATURE: LuaString;
  readonly LUA_TNONE: number;
  readonly LUA_TNIL: number;
  readonly LUA_TBOOLEAN: number;
  readonly LUA_TLIGHTUSERDATA: number;
  readonly LUA_TNUMBER: number;
  readonly LUA_TSTRING: number;
  readonly LUA_TTABLE: number;
  readonly LUA_TFUNCTION: number;
  readonly LUA_TUSERDATA: number;
  readonly LUA_TTHREAD: number;
  readonly lua_Debug: new () => lua_Debug;

  lua_absindex(L: lua_State, index: number): number;
  lua_arith(L: lua_State, op: number): void;
  /**
   * Sets what turns a JavaScript exception, caught by a protected call, into a Lua error, for the whole state. It
   * gets the exception as light userdata and returns one value, the message. When it throws, and likewise when none
   * is set, the protected call ends with the status -1 and whatever is at the top of the stack; lua_resume then
   * reports LUA_ERRRUN and runs no pcall of the coroutine, which is how an exception gets past all of them.
   */
  lua_atnativeerror(L: lua_State, handler: lua_CFunction | null): lua_CFunction | null;
  lua_atpanic(L: lua_State, panic: lua_CFunction | null): lua_CFunction | null;
  lua_call(L: lua_State, args: number, results: number): void;
  lua_callk<C>(L: lua_State, args: number, results: number, ctx: C, k: lua_KFunction<C> | null): void;
  lua_checkstack(L: lua_State, slots: number): boolean;
  lua_close(L: lua_State): void;
  /** 1 or 0. */
  lua_compare(L: lua_State, index1: number, index2: number, op: number): number;
  lua_concat(L: lua_State, n: number): void;
  lua_copy(L: lua_State, from: number, to: number): void;
  lua_createtable(L: lua_State, narr?: number, nrec?: number): void;
  /** 0, or 1 when the value at the top is not a Lua function. */
  lua_dump<D>(L: lua_State, writer: lua_Writer<D>, data: D, strip: boolean): number;
  lua_error(L: lua_State): never;
  lua_getfield(L: lua_State, index: number, key: Text): number;
  lua_getglobal(L: lua_State, name: Text): number;
  lua_gethook(L: lua_State): lua_Hook | null;
  lua_gethookcount(L: lua_State): number;
  lua_gethookmask(L: lua_State): number;
  lua_geti(L: lua_State, index: number, n: number): number;
  lua_getinfo(L: lua_State, what: LuaString, ar: lua_Debug): number;
  lua_getlocal(L: lua_State, ar: lua_Debug | null, n: number): LuaString | null;
  lua_getmetatable(L: lua_State, index: number): boolean;
  /** 1, or 0 when there is no such level. */
  lua_getstack(L: lua_State, level: number, ar: lua_Debug): number;
  lua_gettable(L: lua_State, index: number): number;
  lua_gettop(L: lua_State): number;
  lua_getupvalue(L: lua_State, index: number, n: number): LuaString | null;
  lua_getuservalue(L: lua_State, index: number): number;
  lua_insert(L: lua_State, index: number): void;
  lua_isboolean(L: lua_State, index: number): boolean;
  lua_iscfunction(L: lua_State, index: number): boolean;
  lua_isfunction(L: lua_State, index: number): boolean;
  /** Whether the number is held in 32 bits; says nothing about its value: 2^31 and 10/2 are floats. */
  lua_isinteger(L: lua_State, index: number): boolean;
  lua_islightuserdata(L: lua_State, index: number): boolean;
  lua_isnil(L: lua_State, index: number): boolean;
  lua_isnone(L: lua_State, index: number): boolean;
  lua_isnoneornil(L: lua_State, index: number): boolean;
  lua_isnumber(L: lua_State, index: number): boolean;
  lua_isstring(L: lua_State, index: number): boolean;
  lua_istable(L: lua_State, index: number): boolean;
  lua_isthread(L: lua_State, index: number): boolean;
  lua_isuserdata(L: lua_State, index: number): boolean;
  lua_isyieldable(L: lua_State): boolean;
  lua_len(L: lua_State, index: number): void;
  lua_load<D>(
    L: lua_State,
    reader: lua_Reader<D>,
    data: D,
    chunkName: Text | null,
    mode: Text | null,
  ): number;
  lua_newstate(): lua_State | null;
  lua_newtable(L: lua_State): void;
  lua_newthread(L: lua_State): lua_State;
  /** The data object of the new userdata, with no prototype; `size` is ignored. */
  lua_newuserdata(L: lua_State, size: number): { [field: string]: unknown };
  /** 1, or 0 at the end. */
  lua_next(L: lua_State, index: number): number;
  lua_pcall(L: lua_State, args: number, results: number, handler: number): number;
  lua_pcallk<C>(
    L: lua_State,
    args: number,
    results: number,
    handler: number,
    ctx: C,
    k: lua_KFunction<C> | null,
  ): number;
  lua_pop(L: lua_State, n: number): void;
  lua_pushboolean(L: lua_State, value: unknown): void;
  lua_pushcclosure(L: lua_State, fn: lua_CFunction, upvalues: number): void;
  lua_pushcfunction(L: lua_State, fn: lua_CFunction): void;
  lua_pushfstring(L: lua_State, format: Text, ...values: readonly unknown[]): LuaString;
  lua_pushglobaltable(L: lua_State): void;
  /** Takes integers of every size (those beyond 32 bits are held as floats); TypeError for anything else. */
  lua_pushinteger(L: lua_State, value: number): void;
  lua_pushlightuserdata(L: lua_State, value: unknown): void;
  /** UTF-8. */
  lua_pushliteral(L: lua_State, text: string): LuaString;
  lua_pushlstring(L: lua_State, bytes: Text, length: number): LuaString;
  lua_pushnil(L: lua_State): void;
  /** Always held as a float; see pushNumber in stack.ts. */
  lua_pushnumber(L: lua_State, value: number): void;
  /** Copies; nil for null and undefined. */
  lua_pushstring(L: lua_State, bytes: Text | null | undefined): LuaString;
  /** Whether `L` is the main state. */
  lua_pushthread(L: lua_State): boolean;
  lua_pushvalue(L: lua_State, index: number): void;
  lua_rawequal(L: lua_State, index1: number, index2: number): boolean;
  lua_rawget(L: lua_State, index: number): number;
  lua_rawgeti(L: lua_State, index: number, n: number): number;
  lua_rawgetp(L: lua_State, index: number, key: unknown): number;
  lua_rawlen(L: lua_State, index: number): number;
  lua_rawset(L: lua_State, index: number): void;
  lua_rawseti(L: lua_State, index: number, n: number): void;
  lua_rawsetp(L: lua_State, index: number, key: unknown): void;
  lua_register(L: lua_State, name: Text, fn: lua_CFunction): void;
  lua_remove(L: lua_State, index: number): void;
  lua_replace(L: lua_State, index: number): void;
  lua_resume(L: lua_State, from: lua_State | null, args: number): number;
  lua_rotate(L: lua_State, index: number, n: number): void;
  lua_setfield(L: lua_State, index: number, key: Text): void;
  lua_setglobal(L: lua_State, name: Text): void;
  lua_sethook(L: lua_State, hook: lua_Hook | null, mask: number, count: number): void;
  lua_seti(L: lua_State, index: number, n: number): void;
  lua_setlocal(L: lua_State, ar: lua_Debug, n: number): LuaString | null;
  lua_setmetatable(L: lua_State, index: number): true;
  lua_settable(L: lua_State, index: number): void;
  lua_settop(L: lua_State, index: number): void;
  lua_setupvalue(L: lua_State, index: number, n: number): LuaString | null;
  lua_setuservalue(L: lua_State, index: number): void;
  lua_status(L: lua_State): number;
  /** The text's length plus one, or 0 when it is no number (and nothing is pushed). */
  lua_stringtonumber(L: lua_State, text: LuaString): number;
  lua_toboolean(L: lua_State, index: number): boolean;
  /** A closure object when the C function has upvalues. */
  lua_tocfunction(L: lua_State, index: number): lua_CFunction | null;
  /** 0 when it is none. */
  lua_tointeger(L: lua_State, index: number): number;
  lua_tointegerx(L: lua_State, index: number): number | false;
  /** UTF-8; throws where the bytes are none. See textAt in stack.ts. */
  lua_tojsstring(L: lua_State, index: number): string | null;
  lua_tolstring(L: lua_State, index: number): LuaString | null;
  /** 0 when it is none. */
  lua_tonumber(L: lua_State, index: number): number;
  lua_tonumberx(L: lua_State, index: number): number | false;
  /** Fengari's own object behind a table, function, thread or userdata; the caller says what it takes it for. */
  lua_topointer<T = unknown>(L: lua_State, index: number): T;
  lua_toproxy(L: lua_State, index: number): Proxy;
  /** Converts a number in place. Null when it is neither; a caller that knows better may say so. */
  lua_tostring<T extends LuaString | null = LuaString | null>(L: lua_State, index: number): T;
  /** Null when it is none; a caller that knows better may say so. */
  lua_tothread<T = lua_State | null>(L: lua_State, index: number): T;
  /** The data object, or the light userdata itself; the caller says what it takes it for. */
  lua_touserdata<T = unknown>(L: lua_State, index: number): T;
  lua_type(L: lua_State, index: number): number;
  lua_typename(L: lua_State, type: number): LuaString;
  lua_upvalueid(L: lua_State, index: number, n: number): unknown;
  lua_upvalueindex(n: number): number;
  lua_upvaluejoin(L: lua_State, index1: number, n1: number, index2: number, n2: number): void;
  lua_xmove(from: lua_State, to: lua_State, n: number): void;
  lua_yield(L: lua_State, results: number): number;
  lua_yieldk<C>(L: lua_State, results: number, ctx: C, k: lua_KFunction<C> | null): number;
}

interface Lauxlib {
  readonly LUA_ERRFILE: number;
  readonly LUA_LOADED_TABLE: LuaString;
  readonly LUA_NOREF: number;
  readonly LUA_PRELOAD_TABLE: LuaString;
  readonly LUA_REFNIL: number;

  luaL_argcheck(L: lua_State, condition: unknown, arg: number, message: Text): void;
  luaL_argerror(L: lua_State, arg: number, message: Text): never;
  luaL_callmeta(L: lua_State, index: number, event: Text): boolean;
  luaL_checkany(L: lua_State, arg: number): void;
  /** Fractions are cut off, nan is 0, and what is beyond 2^53 becomes that (Lua 5.1's leniency, bounded). */
  luaL_checkinteger(L: lua_State, arg: number): number;
  luaL_checknumber(L: lua_State, arg: number): number;
  /** Index of the chosen option. */
  luaL_checkoption(L: lua_State, arg: number, byDefault: Text | null, options: readonly LuaString[]): number;
  luaL_checkstack(L: lua_State, slots: number, message: Text | null): void;
  luaL_checkstring(L: lua_State, arg: number): LuaString;
  luaL_checklstring(L: lua_State, arg: number): LuaString;
  luaL_checktype(L: lua_State, arg: number, type: number): void;
  luaL_dostring(L: lua_State, code: LuaString): number | boolean;
  luaL_error(L: lua_State, format: Text, ...values: readonly unknown[]): never;
  luaL_getmetafield(L: lua_State, index: number, event: Text): number;
  luaL_getmetatable(L: lua_State, name: Text): number;
  /** Whether the table was there already. */
  luaL_getsubtable(L: lua_State, index: number, name: Text): boolean;
  luaL_gsub(L: lua_State, text: LuaString, find: LuaString, replacement: LuaString): LuaString;
  luaL_len(L: lua_State, index: number): number;
  luaL_loadbuffer(L: lua_State, code: LuaString, length: number, chunkName: Text): number;
  luaL_loadbufferx(L: lua_State, code: LuaString, length: number, chunkName: Text, mode: Text | null): number;
  luaL_loadfilex(L: lua_State, file: LuaString | null, mode: Text | null): number;
  luaL_loadstring(L: lua_State, code: LuaString): number;
  luaL_newlib(L: lua_State, functions: Readonly<Record<string, lua_CFunction>>): void;
  /** 0 when the name is taken. */
  luaL_newmetatable(L: lua_State, name: Text): number;
  luaL_newstate(): lua_State;
  luaL_optinteger(L: lua_State, arg: number, byDefault: number): number;
  luaL_optnumber(L: lua_State, arg: number, byDefault: number): number;
  luaL_optstring<D extends Text | null>(
    L: lua_State,
    arg: number,
    byDefault: D,
  ): D extends null ? LuaString | null : LuaString;
  luaL_ref(L: lua_State, table: number): number;
  luaL_requiref(L: lua_State, name: Text, open: lua_CFunction, global: unknown): void;
  luaL_setfuncs(L: lua_State, functions: Readonly<Record<string, lua_CFunction>>, upvalues: number): void;
  luaL_setmetatable(L: lua_State, name: Text): void;
  luaL_testudata<T = unknown>(L: lua_State, arg: number, name: Text): T | null;
  luaL_checkudata<T = unknown>(L: lua_State, arg: number, name: Text): T;
  luaL_tolstring(L: lua_State, index: number): LuaString;
  luaL_traceback(L: lua_State, of: lua_State, message: Text | null, level: number): void;
  luaL_typename(L: lua_State, index: number): LuaString;
  luaL_unref(L: lua_State, table: number, ref: number): void;
  luaL_where(L: lua_State, level: number): void;
}

interface Lualib {
  luaL_openlibs(L: lua_State): void;
  readonly luaopen_base: lua_CFunction;
  readonly luaopen_coroutine: lua_CFunction;
  readonly luaopen_debug: lua_CFunction;
  readonly luaopen_io: lua_CFunction;
  readonly luaopen_math: lua_CFunction;
  readonly luaopen_os: lua_CFunction;
  readonly luaopen_package: lua_CFunction;
  readonly luaopen_string: lua_CFunction;
  readonly luaopen_table: lua_CFunction;
  readonly luaopen_utf8: lua_CFunction;
}

interface Luaconf {
  readonly LUAI_MAXSTACK: number;
  readonly LUA_IDSIZE: number;
  /**
   * Bytes of the longest string that Lua code can build; beyond it "resulting string too large" is raised. For all
   * states of the thread, from now on. 64 MiB.
   */
  maxStringBytes: number;
  /** Called before a string of a mebibyte or more is made, with its bytes; does nothing until it is set. */
  largeString: (bytes: number) => void;
  frexp(value: number): [mantissa: number, exponent: number];
  ldexp(mantissa: number, exponent: number): number;
  lua_number2str(value: number): string;
}

export const lua: Lua;
export const lauxlib: Lauxlib;
export const lualib: Lualib;
export const luaconf: Luaconf;
export function luastring_eq(left: LuaString, right: LuaString): boolean;
/** UTF-8. */
export function to_luastring(text: string, cache?: boolean): LuaString;
/** UTF-8; throws RangeError where the bytes are none, unless `replace`. */
export function to_jsstring(bytes: LuaString, from?: number, to?: number, replace?: boolean): string;
