/** Tells on the terminal what the agent does: reports of reloads, the log, VMs that end, the progress of a scan. */

import type { AgentEvents } from "../../agent.ts";
import type { Config } from "../../config/index.ts";
import type { LogLevel } from "../../core/log.ts";
import type { Outcome } from "../../core/outcome.ts";
import { formatEntry, isShown } from "../../observe/log.ts";
import { formatReport, reportOf } from "../../observe/report.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { readingText } from "../watched.ts";

/** What is told of: an agent, as far as its narrator knows it. */
export interface Narrated {
  readonly config: Pick<Config, "prefix" | "threads">;
  readonly hosting: boolean;
  on<E extends keyof AgentEvents>(event: E, listener: (...args: AgentEvents[E]) => void): void;
}

export class Narrator {
  readonly #agent: Narrated;
  readonly #terminal: Terminal;
  readonly #threshold: LogLevel;
  /** VMs that ended before the start was over: one that makes the start fail is told by its error. */
  #early: string[] | undefined = [];
  #ending = false;
  /** A pass over the disk is being told of. */
  #reading = false;

  constructor(agent: Narrated, terminal: Terminal, threshold: LogLevel) {
    this.#agent = agent;
    this.#terminal = terminal;
    this.#threshold = threshold;
    agent.on("outcome", (outcome) => this.#report(outcome));
    agent.on("log", (level, message, vm) => this.log(level, message, vm));
    agent.on("vm", ({ id }, why) => {
      // At the end every VM ends.
      if (why === undefined || this.#ending) return;
      const message = `VM ${id} is replaced: ${why}`;
      if (this.#early) this.#early.push(message);
      else this.log("warn", message);
    });
    agent.on("progress", (done, total) => this.#progress(done, total));
  }

  /** The agent serves: warnings first, then the line itself. */
  ready(warnings: readonly string[], line: string): void {
    this.#terminal.progress("");
    for (const warning of [...warnings, ...(this.#early ?? [])]) this.log("warn", warning);
    this.#early = undefined;
    this.#terminal.out(line);
  }

  log(level: LogLevel, message: string, vm?: number): void {
    if (!isShown(level, this.#threshold)) return;
    this.#terminal.err(formatEntry({ atMs: Date.now(), level, vm, message }, this.#terminal.errStyle));
  }

  /** The agent ends, or did not get to start. */
  end(): void {
    this.#ending = true;
    this.#terminal.progress("");
  }

  /** A terminal has one line that is rewritten; a log gets one entry for each pass that takes its time. */
  #progress(filesDone: number, filesTotal: number): void {
    const reading = filesDone < filesTotal;
    const text = readingText({ filesDone, filesTotal });
    if (this.#terminal.showsProgress) this.#terminal.progress(reading ? text : "");
    else if (reading && !this.#reading) this.log("notice", text);
    this.#reading = reading;
  }

  /** A rejection needs attention, so it goes where the log goes. */
  #report(outcome: Outcome): void {
    const terminal = this.#terminal;
    const report = reportOf(outcome, this.#agent.config.prefix);
    const vms = this.#agent.hosting ? this.#agent.config.threads : 0;
    terminal.progress("");
    if (outcome.outcome === "rejected") terminal.err(formatReport(report, terminal.errStyle, vms));
    else terminal.out(formatReport(report, terminal.outStyle, vms));
  }
}
