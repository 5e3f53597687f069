/** When the process ends, and how: signals, and defects that nobody caught. */

import { constants } from "node:os";
import type { Agent } from "../../agent.ts";
import { describeDefect } from "../failure.ts";
import type { Narrator } from "./narrator.ts";

export interface LifetimeParts {
  readonly agent: Agent;
  readonly narrator: Narrator;
  /** SIGHUP; never rejects. */
  readonly onHangup: () => Promise<void>;
}

export interface Lifetime {
  /** The agent is being closed. */
  readonly stopping: boolean;
  /** Gives the signals back: the start has failed. */
  release(): void;
}

type EndSignal = "SIGINT" | "SIGTERM";

/**
 * The same signal again within this time is one signal: at Ctrl-C a process gets it from the terminal, and from npm
 * (`npm start`) once more.
 */
const sameSignalMs = 250;

/** `close` is bounded by itself; this is for the day when it is not. */
const closeGraceMs = 10_000;

/** SIGTERM and SIGINT drain and exit 0, a second one exits at once with 128 + its number. */
export function governLifetime({ agent, narrator, onHangup }: LifetimeParts): Lifetime {
  let first: { readonly signal: EndSignal; readonly atMs: number } | undefined;

  const end = (exitCode: number) => {
    narrator.end();
    setTimeout(() => {
      narrator.log("alert", "the agent did not close in time");
      process.exit(1);
    }, agent.config.shutdownMs + closeGraceMs).unref();
    agent.close().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        narrator.log("alert", describeDefect(error).join("\n"));
        process.exit(1);
      },
    );
  };

  const onSignal = (signal: EndSignal) => {
    if (first !== undefined) {
      const isSame = first.signal === signal && performance.now() - first.atMs < sameSignalMs;
      if (!isSame) process.exit(128 + constants.signals[signal]);
      return;
    }
    first = { signal, atMs: performance.now() };
    narrator.log("notice", `${signal}: finishing what is in flight; once more ends at once`);
    end(0);
  };

  // Whatever failed unforeseen may have left anything half done: what is in flight may finish, then a supervisor starts anew.
  const onDefect = (error: unknown) => {
    narrator.log("alert", `this is a defect of Relua, it ends: ${describeDefect(error).join("\n")}`);
    if (first !== undefined) return;
    first = { signal: "SIGTERM", atMs: performance.now() };
    end(1);
  };

  const hangUp = () => void onHangup();
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal).on("SIGHUP", hangUp);
  process.on("uncaughtException", onDefect).on("unhandledRejection", onDefect);
  return {
    get stopping() {
      return first !== undefined;
    },
    release() {
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal).off("SIGHUP", hangUp);
      process.off("uncaughtException", onDefect).off("unhandledRejection", onDefect);
    },
  };
}
