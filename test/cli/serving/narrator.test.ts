/** What the terminal shows of an agent that reads many files: one line that is rewritten, in a pipe one entry. */

import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { Narrator } from "../../../src/cli/serving/narrator.ts";
import { type OutputStream, Terminal } from "../../../src/observe/terminal.ts";

function narrated({ isTTY }: { readonly isTTY: boolean }) {
  const events = new EventEmitter();
  const written: string[] = [];
  const stream: OutputStream = { isTTY, columns: 80, write: (text) => written.push(text) };
  const narrator = new Narrator(
    {
      config: { prefix: "/srv", threads: 1 },
      hosting: true,
      on: (event, listener) => {
        events.on(event, listener as (...args: unknown[]) => void);
      },
    },
    new Terminal({ out: stream, err: stream, env: { NO_COLOR: "1" } }),
    "info",
  );
  const progress = (...numbers: readonly [number, number]) => events.emit("progress", ...numbers);
  return { narrator, progress, written };
}

const clear = "\r\u001b[K";

it("rewrites one line of a terminal for as long as there is something to read", () => {
  const { progress, written } = narrated({ isTTY: true });
  progress(1_000, 100_000);
  progress(50_000, 100_000);
  progress(100_000, 100_000);
  expect(written).toEqual([
    `${clear}reading 1,000 of 100,000 files`,
    `${clear}reading 50,000 of 100,000 files`,
    clear,
  ]);
});

it("shows the ready line in the place of the progress", () => {
  const { narrator, progress, written } = narrated({ isTTY: true });
  progress(1_000, 100_000);
  narrator.ready([], "ready");
  expect(written.join("")).toBe(`${clear}reading 1,000 of 100,000 files${clear}ready\n`);
});

it("writes one entry into a log for each pass", () => {
  const { progress, written } = narrated({ isTTY: false });
  for (const total of [100_000, 200_000]) {
    progress(1_000, total);
    progress(50_000, total);
    progress(total, total);
  }
  expect(written.map((line) => line.replace(/^\S+ /, ""))).toEqual([
    "[notice] reading 1,000 of 100,000 files\n",
    "[notice] reading 1,000 of 200,000 files\n",
  ]);
});
