/** Reload equals restart (Invariant 6): after each commit the answers are those of an agent that starts on the same tree. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Agent, type AgentOptions } from "../../src/agent.ts";
import { parseConfig } from "../../src/config/index.ts";
import { createTree, type Tree } from "../support/tree.ts";

const names = ["m0", "m1", "m2", "m3", "m4"];
/** Where a module may be, in the order of the search path. */
const places = ["lib/?.lua", "?.lua", "?/init.lua"] as const;

/** A file as an edit writes it: what it requires, by the way in which it does. */
interface Content {
  readonly version: number;
  /** While it loads; fails when that is missing. */
  readonly hard: readonly string[];
  /** While it loads, if it is there. */
  readonly soft: readonly string[];
  /** When it is asked. */
  readonly lazy: readonly string[];
}

interface Edit {
  readonly name: string;
  readonly place: (typeof places)[number];
  /** Null removes the file. */
  readonly content: Content | null;
}

const pathOf = ({ name, place }: Edit) => place.replace("?", name);

function sourceOf({ name, place, content }: Edit): string | null {
  if (content === null) return null;
  const list = (required: readonly string[]) => required.map((one) => JSON.stringify(one)).join(", ");
  return `local M = { held = {} }
for _, name in ipairs { ${list(content.hard)} } do table.insert(M.held, require(name)) end
for _, name in ipairs { ${list(content.soft)} } do
  local ok, module = pcall(require, name)
  table.insert(M.held, ok and module or false)
end
function M.see()
  local seen = {}
  for _, held in ipairs(M.held) do table.insert(seen, held and held.see() or "-") end
  for _, name in ipairs { ${list(content.lazy)} } do
    local ok, module = pcall(require, name)
    table.insert(seen, ok and module.see() or "-")
  end
  return "${name}@${place}#${content.version}(" .. table.concat(seen, " ") .. ")"
end
return M
`;
}

const probe = `return { all = function()
  local answers = {}
  for _, name in ipairs { ${names.map((name) => `"${name}"`).join(", ")} } do
    local ok, module = pcall(require, name)
    answers[#answers + 1] = ok and module.see() or "-"
  end
  return answers
end }
`;

/** Modules require only what is behind them: cycles are errors of their own. */
const edits: fc.Arbitrary<Edit> = fc.integer({ min: 0, max: names.length - 1 }).chain((index) => {
  const behind = fc.subarray(names.slice(index + 1));
  const content = fc.record({ version: fc.nat(1_000), hard: behind, soft: behind, lazy: behind });
  return fc.record({
    name: fc.constant(names[index]!),
    place: fc.constantFrom(...places),
    content: fc.option(content, { freq: 4 }),
  });
});
const steps = fc.array(fc.array(edits, { minLength: 1, maxLength: 3 }), { minLength: 3, maxLength: 4 });
const start = fc.array(edits, { minLength: 6, maxLength: 8 });

const apply = (tree: Tree, all: readonly Edit[]) =>
  tree.write(Object.fromEntries(all.map((edit) => [pathOf(edit), sourceOf(edit)])));

async function startOn(tree: Tree, substitutes: AgentOptions = {}): Promise<Agent> {
  const agent = new Agent(
    parseConfig({
      prefix: tree.root,
      luaPackagePath: places.map((place) => `$prefix/${place}`).join(";"),
      threads: 1,
      watch: false,
      reload: { preflight: "compile" },
      control: { listen: "127.0.0.1:0" },
    }),
    substitutes,
  );
  await agent.start();
  return agent;
}

/** What an agent that starts now answers. */
async function freshAnswers(tree: Tree): Promise<unknown> {
  const agent = await startOn(tree);
  try {
    return await agent.call("probe", "all");
  } finally {
    await agent.close();
  }
}

async function holds(substitutes: AgentOptions, numRuns: number, seed: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(start, steps, async (begin, changes) => {
      const tree = createTree({ "probe.lua": probe });
      apply(tree, begin);
      const agent = await startOn(tree, substitutes);
      try {
        await agent.call("probe", "all");
        for (const change of changes) {
          apply(tree, change);
          expect((await agent.reload()).outcome).toMatch(/^(committed|unchanged)$/);
          expect(await agent.call("probe", "all")).toEqual(await freshAnswers(tree));
        }
      } finally {
        await agent.close();
        tree.remove();
      }
    }),
    { numRuns, seed, endOnFailure: true, includeErrorInReport: true },
  );
}

/** `RELUA_EQUALS_RUNS=200 npx vitest run test/e2e/restart` looks longer. */
const runs = Number(process.env.RELUA_EQUALS_RUNS ?? 4);

describe("after each commit", () => {
  it("an agent answers as one that starts on the same tree", () => holds({}, runs, 1), 3_600_000);

  it("(control) it does not where VMs do not remember who requires whom", async () => {
    const vmEntry = new URL("../fixtures/e2e/edgeless-vm.mjs", import.meta.url).pathname;
    await expect(holds({ vmEntry }, 5, 1)).rejects.toThrow("to deeply equal");
  });
});
