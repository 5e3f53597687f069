/** A source in a process of its own, whose limits the test sets: prints what it says as lines of JSON, and takes orders. */

import { closeSync, openSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createSource } from "../../dist/source/source.js";

const [root] = process.argv.slice(2);
const source = createSource({
  roots: [{ folder: root, suffixes: [".lua"] }],
  files: [],
  ignore: [],
  maxFileBytes: 1024 * 1024,
  watch: { settleMs: 20, maxWaitMs: 1000, polling: false, sweepMs: 0 },
});
const tell = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);

source.on("warning", (warning) => tell({ warning }));
source.on("step", ({ present, absent }) =>
  tell({ changed: [...present.map(({ path }) => path), ...absent] }),
);

// No event tells of these.
let told = "";
const telling = setInterval(() => {
  const { mode, live, skipped } = source.status();
  const said = { mode, skipped: skipped.map(({ reason }) => reason) };
  if (!live || JSON.stringify(said) === told) return;
  told = JSON.stringify(said);
  tell(said);
}, 10);

const held = [];
const orders = {
  /** Sets a limit of this process's own user namespace. */
  limit: (name, value) => writeFileSync(`/proc/sys/user/${name}`, value),
  /** Opens all files that the process may have open. */
  exhaust: () => {
    try {
      for (;;) held.push(openSync("/dev/null", "r"));
    } catch (error) {
      tell({ exhausted: error.code });
    }
  },
  release: () => {
    for (const fd of held.splice(0)) closeSync(fd);
  },
  start: async () => tell({ started: (await source.start()).present.length }),
  end: async () => {
    clearInterval(telling);
    await source.close();
    process.exit(0);
  },
};
createInterface({ input: process.stdin }).on("line", (line) => {
  const [order, ...words] = line.split(" ");
  orders[order](...words);
});
