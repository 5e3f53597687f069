import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AgentOptions } from "../../src/agent.ts";
import type { ConfigInput } from "../../src/config/index.ts";
import { moduleNames, World } from "./world.ts";

/** `RELUA_MODEL_REQUESTS=100000 npx vitest run test/model` is the long run. */
const requestsToReach = Number(process.env.RELUA_MODEL_REQUESTS ?? 4_000);

interface Model {
  readonly steps: number;
}
type Command = fc.AsyncCommand<Model, World>;

function complain({ violations }: World): void {
  if (violations.length > 0) throw new Error(`${violations.length} violations, such as ${violations[0]}`);
}

const command = (text: string, run: (world: World) => Promise<void>): Command => ({
  check: () => true,
  run: async (_model, world) => {
    await run(world);
    complain(world);
  },
  toString: () => text,
});

const some = fc.subarray(moduleNames, { minLength: 1 });
const whether = fc.constantFrom(
  "no" as const,
  "no" as const,
  "no" as const,
  "syntax" as const,
  "runtime" as const,
);
const send = fc
  .tuple(fc.integer({ min: 1, max: 80 }), fc.constantFrom(0, 0, 1, 5, 20), fc.boolean())
  .map(([count, ms, lazily]) =>
    command(`send ${count} sleeping ${ms} ${lazily}`, async (world) => world.send(count, ms, lazily)),
  );
const edit = fc
  .tuple(some, whether)
  .map(([names, broken]) =>
    command(`edit ${names} broken:${broken}`, async (world) => world.edit(names, broken)),
  );
const reload = fc.constant(command("reload", (world) => world.reload()));
const reloadUnderLoad = fc.constant(
  command("reload, sending meanwhile", async (world) => {
    const done = world.reload();
    world.send(5, 2, true);
    await done;
  }),
);
const rollback = fc
  .nat(100)
  .map((choice) => command(`rollback ${choice}`, (world) => world.rollback(choice)));
const hold = fc.constant(command("hold", async (world) => world.hold()));
const release = fc.constant(command("release", (world) => world.release()));
const clean = fc
  .constantFrom(...moduleNames)
  .map((name) => command(`clean ${name}`, (world) => world.clean(name)));
const settle = fc.constant(command("settle", (world) => world.settle()));
const kill = fc
  .integer({ min: 1, max: 2 })
  .map((vm) => command(`kill ${vm}`, async (world) => world.kill(vm)));

/** What may happen; `release` twice, as a held world has little to tell. */
const everything = [
  send,
  edit,
  reload,
  reloadUnderLoad,
  rollback,
  hold,
  release,
  release,
  clean,
  settle,
  kill,
];
/** For controls: what their defect shows in, without the luck of a kill hiding it. */
const withoutKills = [send, edit, reload, reloadUnderLoad, clean, settle];

interface Variant {
  readonly config?: ConfigInput;
  readonly substitutes?: AgentOptions;
  readonly commands: typeof everything;
}

/** Runs random scripts until enough requests were made; throws at the first violation, shrunk little on purpose. */
async function holdsFor(variant: Variant, requests: number): Promise<void> {
  let made = 0;
  for (let seed = 1; made < requests; seed++) {
    await fc.assert(
      fc.asyncProperty(
        fc.commands([...variant.commands], { maxCommands: 100, size: "max" }),
        async (script) => {
          const world = new World(variant);
          await world.start();
          try {
            await fc.asyncModelRun(() => ({ model: { steps: 0 }, real: world }), script);
            await world.settle();
            complain(world);
          } finally {
            await world.close();
            made += world.requests;
          }
        },
      ),
      { numRuns: 2, endOnFailure: true, includeErrorInReport: true, seed },
    );
  }
}

const fixture = (name: string) => new URL(`../fixtures/model/${name}.mjs`, import.meta.url).pathname;

describe("every answer is of one generation, at or above the caller's floor", () => {
  it(
    `holds over at least ${requestsToReach} requests with edits, rejections, cleans, rollbacks, holds and kills`,
    () => holdsFor({ commands: everything }, requestsToReach),
    3_600_000,
  );

  // The same test must notice each of these.
  const budget = 20_000;
  it("(control) activation after the next request instead of before it", async () => {
    await expect(
      holdsFor({ commands: withoutKills, substitutes: { vmEntry: fixture("late-activation") } }, budget),
    ).rejects.toThrow(/stale|mixed/);
  });

  it("(control) activation on one VM only", async () => {
    await expect(
      holdsFor({ commands: withoutKills, substitutes: { vmEntry: fixture("deaf-second-vm") } }, budget),
    ).rejects.toThrow(/stale|mixed/);
  });

  it("(control) require from the disk", async () => {
    await expect(
      holdsFor(
        { commands: [send, edit, kill, settle], substitutes: { vmEntry: fixture("require-from-disk") } },
        budget,
      ),
    ).rejects.toThrow(/stale|mixed/);
  });

  it("(control) no copy of package.loaded for requests in flight", async () => {
    await expect(
      holdsFor({ commands: withoutKills, substitutes: { vmEntry: fixture("no-copy") } }, budget),
    ).rejects.toThrow(/stale|mixed/);
  });

  it("(control) canary skipped", async () => {
    await expect(
      holdsFor({ commands: withoutKills, config: { reload: { preflight: "off" } } }, budget),
    ).rejects.toThrow(/a broken change set was committed/);
  });
});
