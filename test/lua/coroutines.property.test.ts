import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lauxlib, lua, type lua_State, lualib } from "#fengari";
import { textAt, toBytes } from "../../src/lua/stack.ts";
import { loadInto, type ScheduledLua, scheduledLua } from "./scheduled-lua.ts";

/** A statement of a random program; blocks nest. */
type Statement =
  | { readonly kind: "emit" | "sleep" | "yield" | "error" | "again"; readonly n: number }
  | {
      readonly kind: "pcall" | "resume" | "wrap" | "index" | "compare" | "iterate" | "handler";
      readonly n: number;
      readonly block: readonly Statement[];
    };

const { statement } = fc.letrec<{ statement: Statement; block: Statement[] }>((tie) => ({
  statement: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.record({
      kind: fc.constantFrom("emit", "sleep", "sleep", "yield", "yield", "error", "again"),
      n: fc.integer({ min: 1, max: 99 }),
    }) as fc.Arbitrary<Statement>,
    fc.record({
      kind: fc.constantFrom(
        "pcall",
        "resume",
        "resume",
        "wrap",
        "wrap",
        "index",
        "compare",
        "iterate",
        "handler",
      ),
      n: fc.integer({ min: 1, max: 99 }),
      block: tie("block"),
    }) as fc.Arbitrary<Statement>,
  ),
  block: fc.array(tie("statement"), { maxLength: 5 }),
}));
const program = fc.array(statement, { minLength: 1, maxLength: 6 });

/** Lua text of a block; `inside` tells whether a coroutine of the program's own is around it. */
function luaOf(block: readonly Statement[], inside: boolean): string {
  return block.map((each) => statementText(each, inside)).join("\n");
}

function statementText(each: Statement, inside: boolean): string {
  const { n } = each;
  switch (each.kind) {
    case "emit":
      return `emit('emit', ${n})`;
    case "sleep":
      return `emit('slept', sleep('s', ${n}, 'v'))`;
    case "yield":
      return inside ? `emit('resumed with', coroutine.yield(${n}, 'y'))` : `emit('top', ${n})`;
    case "error":
      return `if #trace % 3 == ${n % 3} then error('error ${n}') end`;
    case "again":
      // Lua 5.3 calls some normal coroutines dead when it refuses to resume them: messages are not compared.
      return `if kept then
        local status = coroutine.status(kept)
        if status == 'suspended' then emit('again', coroutine.resume(kept, ${n}))
        else emit('again', status, (coroutine.resume(kept, ${n}))) end
      end`;
    case "pcall":
      return `emit('pcall', pcall(function(a) emit(a) ${luaOf(each.block, inside)} return ${n}, 'p' end, 'arg'))`;
    case "handler":
      return `emit('xpcall', xpcall(function() ${luaOf(each.block, inside)} error(${n}) end, function(m) return 'h' .. m end))`;
    case "resume":
      return `do
        local co = coroutine.create(function(a) emit('started', a) ${luaOf(each.block, true)} return ${n}, 'r' end)
        kept = co
        for i = 1, 4 do
          emit('resume', coroutine.resume(co, i, 'x'))
          emit(coroutine.status(co))
        end
      end`;
    case "wrap":
      return `do
        local f = coroutine.wrap(function() ${luaOf(each.block, true)} coroutine.yield(${n}) end)
        for v in f do emit('wrap', v) end
      end`;
    case "index":
      return `emit('index', setmetatable({}, {__index = function(_, k) ${luaOf(each.block, inside)} return k end})[${n}])`;
    case "compare":
      return `do
        local m = {__lt = function() ${luaOf(each.block, inside)} return ${n % 2 === 0} end}
        emit('compare', setmetatable({}, m) < setmetatable({}, m))
      end`;
    case "iterate":
      return `for v in function(_, c) if not c then ${luaOf(each.block, inside)} return ${n} end end do emit('iterate', v) end`;
  }
}

/** A chunk that returns everything it observed, as one text. */
function chunkOf(block: readonly Statement[]): string {
  return `
    local trace, kept = {}, nil
    local function emit(...)
      local line = {}
      for i = 1, select('#', ...) do line[i] = tostring((select(i, ...))) end
      trace[#trace + 1] = table.concat(line, ' ')
    end
    emit('ended', pcall(function() ${luaOf(block, false)} end))
    return table.concat(trace, '\\n')`;
}

/** What Lua itself makes of a chunk, with its own coroutine library, where `sleep` returns at once. */
function plainly(code: string): string {
  const L = lauxlib.luaL_newstate() as lua_State;
  lualib.luaL_openlibs(L);
  lua.lua_pushcfunction(L, (each: lua_State) => lua.lua_gettop(each) - 1);
  lua.lua_setglobal(L, toBytes("sleep"));
  loadInto(L, code);
  if (lua.lua_pcall(L, 0, 1, 0) !== lua.LUA_OK) throw new Error(textAt(L, -1));
  return textAt(L, -1) ?? "";
}

/** Runs some chunks side by side in one VM, the sleepers woken in an order that `order` decides. */
function interleaved(
  vm: ScheduledLua,
  chunks: readonly string[],
  order: readonly number[],
): (string | undefined)[] {
  const programs = chunks.map((code) => vm.start(code));
  for (let turn = 0; vm.sleepers.length > 0; turn++) {
    vm.wakeAt((order[turn % order.length] ?? 0) % vm.sleepers.length);
  }
  return programs.map(({ ended }) => (ended?.kind === "returned" ? ended.values[0] : JSON.stringify(ended)));
}

function checkSleepsAreInvisible(createVm: () => ScheduledLua): void {
  fc.assert(
    fc.property(
      fc.array(program, { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }),
      (programs, order) => {
        const chunks = programs.map(chunkOf);
        expect(interleaved(createVm(), chunks, order)).toEqual(chunks.map(plainly));
      },
    ),
    { numRuns: 300 },
  );
}

describe("random programs of nested coroutines", () => {
  it("give the same results with sleeps as without", () => {
    checkSleepsAreInvisible(() => scheduledLua());
  });

  it("do not with Lua's own coroutine library, which takes a suspension for a yield (control)", () => {
    const withOwnLibrary = (): ScheduledLua => {
      const vm = scheduledLua();
      lua.lua_pushcfunction(vm.L, lualib.luaopen_coroutine);
      lua.lua_call(vm.L, 0, 1);
      lua.lua_setglobal(vm.L, toBytes("coroutine"));
      return vm;
    };
    expect(() => checkSleepsAreInvisible(withOwnLibrary)).toThrow(/Property failed/);
  });
});
