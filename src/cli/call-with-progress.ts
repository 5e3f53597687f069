/** A call that may make the agent read many files: a terminal is told how far that has come. */

import { setTimeout as delay } from "node:timers/promises";
import type { Terminal } from "../observe/terminal.ts";
import type { AgentAddress } from "./agent-address.ts";
import { parseStatus } from "./answers.ts";
import { type Answer, type Call, callAgent } from "./client.ts";
import { readingText } from "./watched.ts";

const firstAfterMs = 1_000;
const everyMs = 250;
const statusTimeoutMs = 5_000;

/** As `callAgent`; from the first second on, what the agent's status says of its reading is shown. */
export async function callWithProgress(
  address: AgentAddress,
  call: Call,
  terminal: Terminal,
): Promise<Answer> {
  const over = new AbortController();
  if (terminal.showsProgress) void showReading(address, terminal, over.signal);
  try {
    return await callAgent(address, call);
  } finally {
    over.abort();
    terminal.progress("");
  }
}

async function showReading(address: AgentAddress, terminal: Terminal, over: AbortSignal): Promise<void> {
  try {
    for (let pauseMs = firstAfterMs; ; pauseMs = everyMs) {
      await delay(pauseMs, undefined, { signal: over });
      const { body } = await callAgent(address, {
        method: "GET",
        path: "api/v1/status",
        timeoutMs: statusTimeoutMs,
      });
      const { reading } = parseStatus(body).watch;
      if (over.aborted) return;
      terminal.progress(reading === undefined ? "" : `the agent is ${readingText(reading)}`);
    }
  } catch {
    // The call itself says what is wrong, if anything is.
  }
}
