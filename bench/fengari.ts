/** How much faster is the patched Fengari than npm's? */

import { createRequire } from "node:module";
import * as patched from "#fengari";
import { type Answer, inTurn, type Row } from "./question.ts";

type Fengari = typeof patched;

const programs: Readonly<Record<string, string>> = {
  "calls: fib(22)": `
    local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
    return function() return fib(22) end`,
  "objects: methods and fields": `
    local Point = {} Point.__index = Point
    function Point.new(x, y) return setmetatable({x = x, y = y}, Point) end
    function Point:add(other) return Point.new(self.x + other.x, self.y + other.y) end
    return function() local p, step = Point.new(0, 0), Point.new(1, 2) for i = 1, 10000 do p = p:add(step) end return p.x end`,
  "JSON-like string work": `
    local function encode(value)
      local kind = type(value)
      if kind == "table" then
        local parts = {}
        for k, v in pairs(value) do parts[#parts + 1] = encode(tostring(k)) .. ":" .. encode(v) end
        return "{" .. table.concat(parts, ",") .. "}"
      elseif kind == "string" then return '"' .. value:gsub('[%c"\\\\]', "?") .. '"'
      else return tostring(value) end
    end
    local document = {}
    for i = 1, 100 do document["key" .. i] = {id = i, name = "name " .. i, price = i * 1.25} end
    return function() return #encode(document) end`,
  "string.format": `
    return function() local n = 0 for i = 1, 5000 do n = n + #string.format("%s-%05d %.2f", "item", i, i / 3) end return n end`,
  "tables: insert, index, remove": `
    return function()
      local t = {}
      for i = 1, 5000 do t[#t + 1] = i end
      local sum = 0
      for i = 1, #t do sum = sum + t[i] end
      while #t > 0 do t[#t] = nil end
      return sum
    end`,
  "long strings as keys": `
    local keys = {}
    for i = 1, 1000 do keys[i] = ("k"):rep(40) end
    return function() local t = {} for i = 1, #keys do t[keys[i] .. i] = i end return t[keys[1] .. 1] end`,
  "arithmetic in a loop": `
    return function() local x = 0 for i = 1, 100000 do x = (x * 3 + i) % 1000003 end return x end`,
  "tostring of floats": `
    return function() local n = 0 for i = 1, 10000 do n = n + #tostring(i / 7) end return n end`,
};

/** Programs that the edits are there for. */
const aimedAt = /^calls|JSON/;

/** Ratios above 1: the patched copy is that many times faster. */
export async function run(): Promise<Answer> {
  const stock = createRequire(import.meta.url)("fengari") as Fengari;
  const rows = Object.entries(programs).map(([name, code]): Row => {
    const { aMs, bMs } = inTurn(15, prepared(patched, code), prepared(stock, code));
    return {
      name,
      ratio: bMs / aMs,
      unit: `times as fast (${aMs.toFixed(1)} ms, npm's ${bMs.toFixed(1)} ms)`,
      ...(aimedAt.test(name) && { aim: { atLeast: 1.4 } }),
    };
  });
  return { question: "How much faster is the patched Fengari than npm's?", rows };
}

/** The program's function, on a state of its own, called a few times over. */
function prepared({ lua, lauxlib, lualib }: Fengari, code: string): () => void {
  const L = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(L);
  if (lauxlib.luaL_dostring(L, Buffer.from(code)) !== lua.LUA_OK)
    throw new Error(lua.lua_tojsstring(L, -1) ?? "?");
  return () => {
    for (let i = 0; i < 3; i++) {
      lua.lua_pushvalue(L, -1);
      lua.lua_call(L, 0, 0);
    }
  };
}
