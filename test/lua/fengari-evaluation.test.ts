import { describe, expect, it } from "vitest";
import { patched, run, stock } from "./fengari-runs.ts";

describe.each([
  {
    what: "pairs visits a list in order",
    code: "local s = '' for k in pairs({10, 20, 30}) do s = s .. k end return s",
    right: "123",
  },
  {
    what: "a list longer than one flush keeps its order",
    code: `local t = {${Array.from({ length: 120 }, (_, i) => i + 1).join(",")}} local last = 0 for k, v in pairs(t) do if k ~= last + 1 or v ~= k then return 'broken' end last = k end return last`,
    right: "120",
  },
  {
    what: "evaluating a function twice gives two functions",
    code: "local function make() return function() end end return make() ~= make()",
    right: "true",
  },
  {
    what: "string.char names the argument that is out of range",
    code: "return (select(2, pcall(function() return (string.char(65, 256)) end)):gsub('^.*: bad', 'bad'))",
    right: "bad argument #2 to 'char' (value out of range)",
  },
  {
    what: "a long chunk name is whole in messages",
    code: `return select(2, pcall(load("error('here')", "@/${"long/".repeat(30)}x.lua")))`,
    right: `/${"long/".repeat(30)}x.lua:1: here`,
  },
])("$what", ({ code, right }) => {
  it("with our edits", () => expect(run(patched, code)).toEqual([right]));
  it("(control) not in Fengari as it comes", () => expect(run(stock, code)).not.toEqual([right]));
});
