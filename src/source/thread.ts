/** Entry of the source's thread: all reading, hashing, watching and settling happens here, off the serving thread. */

import { parentPort, workerData } from "node:worker_threads";
import { Disk } from "./disk.ts";
import type { MainToSource, SourceThreadBoot, SourceToMain } from "./messages.ts";

const port = parentPort;
if (port === null) throw new Error("#source-thread is the entry of a worker thread");

// An unexpected error ends the thread, and the main thread starts another one that reads everything anew.
const fail = (error: unknown) => {
  setImmediate(() => {
    throw error;
  });
};

const disk = new Disk(
  workerData as SourceThreadBoot,
  (message: SourceToMain) => port.postMessage(message),
  fail,
);
port.on("message", (message: MainToSource) => disk.receive(message).catch(fail));
disk.start().catch(fail);
