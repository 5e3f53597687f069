/** The two streams of a command: whole lines, the style of each, and a line of progress that comes and goes. */

import { pipeStyle, type Style, terminalStyle, wantsColours } from "./style.ts";

/** What a stream must be able to do; process.stdout and process.stderr are such. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface TerminalOptions {
  /** Answers, and what went well. */
  readonly out: OutputStream;
  /** What needs attention. */
  readonly err: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const clearLine = "\r\u001b[K";

export class Terminal {
  readonly outStyle: Style;
  readonly errStyle: Style;
  readonly #out: OutputStream;
  readonly #err: OutputStream;
  #progress = "";

  constructor({ out, err, env }: TerminalOptions) {
    this.#out = out;
    this.#err = err;
    this.outStyle = styleOf(out, env);
    this.errStyle = styleOf(err, env);
  }

  out(lines: string): void {
    this.#writeAboveProgress(this.#out, lines);
  }

  err(lines: string): void {
    this.#writeAboveProgress(this.#err, lines);
  }

  /** Whether `progress` shows anything: pipes have no line that could be taken back. */
  get showsProgress(): boolean {
    return this.#err.isTTY === true;
  }

  /** Shows this text in the last line of a terminal, in place of the one before; empty ends it. Pipes get nothing. */
  progress(text: string): void {
    if (!this.showsProgress || text === this.#progress) return;
    // A line that wraps could not be taken back. A terminal that does not know how wide it is says 0.
    this.#progress = text.slice(0, (this.#err.columns || 80) - 1);
    this.#err.write(clearLine + this.#progress);
  }

  #writeAboveProgress(stream: OutputStream, lines: string): void {
    const progress = this.#progress;
    if (progress !== "") this.#err.write(clearLine);
    stream.write(`${lines}\n`);
    if (progress !== "") this.#err.write(progress);
  }
}

function styleOf(stream: OutputStream, env: TerminalOptions["env"]): Style {
  const isTty = stream.isTTY === true;
  const colours = wantsColours(isTty, env);
  return isTty ? terminalStyle(colours) : pipeStyle(colours);
}
