import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AgentSubstitutes } from "../../src/agent.ts";
import type { ConfigInput } from "../../src/config/index.ts";
import { moduleNames, World } from "./world.ts";

/** `RELUA_MODEL_REQUESTS=100000 npx vitest run test/model` is the long run. */
const requestsToReach = Number(process.env.RELUA_MODEL_REQUESTS ?? 4_000);

interface Model {
  readonly steps: number;
}
type Command = fc.AsyncCommand<Model, World>;

const command = (text: string, run: (world: World) => Promise<void>): Command => ({
  check: () => true,
  run: async (_model, world) => {
    await run(world);
    expect(world.violations).toEqual([]);
  },
  toString: () => text,
});

const some = fc.subarray(moduleNames, { minLength: 1 });
const commands = [
  fc
    .tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom(0, 0, 1, 5, 20), fc.boolean())
    .map(([count, ms, lazily]) =>
      command(`send ${count} sleeping ${ms} ${lazily}`, async (world) => world.send(count, ms, lazily)),
    ),
  fc
    .tuple(
      some,
      fc.constantFrom("no" as const, "no" as const, "no" as const, "syntax" as const, "runtime" as const),
    )
    .map(([names, broken]) =>
      command(`edit ${names} broken:${broken}`, async (world) => world.edit(names, broken)),
    ),
  fc.constant(command("reload", (world) => world.reload())),
  fc.constant(
    command("reload, unawaited send", async (world) => {
      const done = world.reload();
      world.send(5, 2, true);
      await done;
    }),
  ),
  fc.constantFrom(...moduleNames).map((name) => command(`clean ${name}`, (world) => world.clean(name))),
  fc.constant(command("settle", (world) => world.settle())),
];
const kill = fc
  .integer({ min: 1, max: 2 })
  .map((vm) => command(`kill ${vm}`, async (world) => world.kill(vm)));

interface Variant {
  readonly config?: ConfigInput;
  readonly substitutes?: AgentSubstitutes;
  /** Whether threads are killed as well. */
  readonly kills: boolean;
}

/** Runs random scripts until enough requests were made; throws at the first violation, shrunk little on purpose. */
async function hold(variant: Variant, requests: number): Promise<void> {
  let made = 0;
  for (let seed = 1; made < requests; seed++) {
    await fc.assert(
      fc.asyncProperty(
        fc.commands(variant.kills ? [...commands, kill] : commands, { maxCommands: 60, size: "max" }),
        async (script) => {
          const world = new World(variant);
          await world.start();
          try {
            await fc.asyncModelRun(() => ({ model: { steps: 0 }, real: world }), script);
            await world.settle();
            expect(world.violations).toEqual([]);
          } finally {
            await world.close();
            made += world.requests;
          }
        },
      ),
      { numRuns: 2, endOnFailure: true, seed },
    );
  }
}

const fixture = (name: string) => new URL(`../fixtures/model/${name}.mjs`, import.meta.url).pathname;

describe("every answer is of one generation, at or above the caller's floor", () => {
  it(
    `holds over at least ${requestsToReach} requests with edits, rejections, cleans and kills`,
    () => hold({ kills: true }, requestsToReach),
    3_600_000,
  );

  // The same test must notice each of these.
  const budget = 20_000;
  it("(control) activation after the next request instead of before it", async () => {
    await expect(
      hold({ kills: false, substitutes: { vmEntry: fixture("late-activation") } }, budget),
    ).rejects.toThrow();
  });

  it("(control) activation on one VM only", async () => {
    await expect(
      hold({ kills: false, substitutes: { vmEntry: fixture("deaf-second-vm") } }, budget),
    ).rejects.toThrow();
  });

  it("(control) require from the disk", async () => {
    await expect(
      hold({ kills: true, substitutes: { vmEntry: fixture("require-from-disk") } }, budget),
    ).rejects.toThrow();
  });

  it("(control) no copy of package.loaded for requests in flight", async () => {
    await expect(
      hold({ kills: false, substitutes: { vmEntry: fixture("no-copy") } }, budget),
    ).rejects.toThrow();
  });

  it("(control) canary skipped", async () => {
    await expect(hold({ kills: false, config: { reload: { preflight: "off" } } }, budget)).rejects.toThrow();
  });
});
