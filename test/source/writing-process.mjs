/** Writes to trees in a process of its own: takes lines `[root, operations]` and answers each when it is done with them. */

import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** As rsync and tar do: another content of the same size, under the same mtime. */
function swapContent(path) {
  const { mtime, atime, size } = statSync(path);
  write(`${path}.tmp`, String.fromCharCode(97 + Math.floor(Math.random() * 26)).repeat(size));
  utimesSync(`${path}.tmp`, atime, mtime);
  renameSync(`${path}.tmp`, path);
}

function move(path, to) {
  mkdirSync(dirname(to), { recursive: true });
  renameSync(path, to);
}

const ways = {
  pause: (_, { ms }) => setTimeout(ms),
  write: (root, { path, text }) => write(join(root, path), text),
  append: (root, { path }) => appendFileSync(join(root, path), "+"),
  swap: (root, { path }) => swapContent(join(root, path)),
  remove: (root, { path }) => rmSync(join(root, path), { recursive: true }),
  rename: (root, { path, to }) => move(join(root, path), join(root, to)),
  move: (root, { path, to }) => move(join(root, path), join(root, to)),
  link: (root, { target }) => {
    symlinkSync(target, join(root, "link.next"));
    renameSync(join(root, "link.next"), join(root, "link"));
  },
};

async function perform(root, operations) {
  for (const operation of operations) {
    try {
      await ways[operation.kind](root, operation);
    } catch (error) {
      // Not possible on the tree as it is now: the next one.
      if (error.code === undefined) throw error;
    }
  }
  process.stdout.write("done\n");
}

createInterface({ input: process.stdin })
  .on("line", (line) => perform(...JSON.parse(line)))
  .on("close", () => process.exit());
process.stdout.write("ready\n");
