/** Colours, the log's lines and the line of progress: what a terminal shows, and what a pipe gets. */

import { describe, expect, it } from "vitest";
import { formatEntry, isShown } from "../../src/observe/log.ts";
import { formatMs, formatSpan } from "../../src/observe/quantities.ts";
import { messageLimit, readableLines } from "../../src/observe/readable.ts";
import { pipeStyle, terminalStyle, wantsColours } from "../../src/observe/style.ts";
import { type OutputStream, Terminal } from "../../src/observe/terminal.ts";

describe("colours", () => {
  it.each<[boolean, Record<string, string>, boolean]>([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [true, { TERM: "dumb" }, false],
    [false, { FORCE_COLOR: "1" }, true],
    [false, { FORCE_COLOR: "" }, true],
    [true, { FORCE_COLOR: "0" }, false],
    [true, { FORCE_COLOR: "false" }, false],
    [false, { FORCE_COLOR: "3", NO_COLOR: "1" }, true],
  ])("terminal %j with %j: %j", (isTty, env, wanted) => {
    expect(wantsColours(isTty, env)).toBe(wanted);
  });
});

describe("a line of the log", () => {
  const atMs = Date.UTC(2026, 0, 2, 14, 3, 12, 45);
  const entry = { atMs, level: "error", vm: 2, message: "[lua] c.lua:3: boom" } as const;

  it("has an ISO time in a pipe, and the time of day on a terminal", () => {
    expect(formatEntry(entry, pipeStyle(false))).toBe(
      "2026-01-02T14:03:12.045Z [error] VM 2: [lua] c.lua:3: boom",
    );
    expect(formatEntry(entry, terminalStyle(false))).toMatch(
      /^\d\d:\d\d:12 \[error\] VM 2: \[lua\] c\.lua:3: boom$/,
    );
  });

  it("says who speaks", () => {
    expect(formatEntry({ ...entry, vm: 0 }, pipeStyle(false))).toContain("[error] canary: [lua]");
    expect(formatEntry({ ...entry, vm: undefined }, pipeStyle(false))).toContain("[error] [lua]");
  });

  it("cannot be forged by a message with line breaks", () => {
    const message = "x\n2026-01-02T14:03:12.045Z [emerg] forged\r\nlast\n";
    expect(formatEntry({ ...entry, message }, pipeStyle(false)).split("\n")).toEqual([
      "2026-01-02T14:03:12.045Z [error] VM 2: x",
      "    2026-01-02T14:03:12.045Z [emerg] forged",
      "    last",
    ]);
  });

  it("is coloured by its level", () => {
    const level = (name: "crit" | "error" | "warn" | "notice" | "debug") =>
      formatEntry({ ...entry, level: name }, terminalStyle(true))
        .replaceAll("\u001b", "ESC")
        .replace(/^.*?m.*?m /, "");
    expect(level("crit")).toMatch(/^ESC\[31m\[crit\]/);
    expect(level("error")).toMatch(/^ESC\[31m\[error\]/);
    expect(level("warn")).toMatch(/^ESC\[33m\[warn\]/);
    expect(level("notice")).toMatch(/^\[notice\]/);
    expect(level("debug")).toMatch(/^ESC\[2m\[debug\]/);
  });

  it("is shown down to the level that was asked for", () => {
    expect(["emerg", "error", "info", "debug"].map((level) => isShown(level as "error", "info"))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

describe("text of any origin", () => {
  it.each([
    ["UTF-8 bytes", Buffer.from("grün → 緑").toString("latin1"), ["grün → 緑"]],
    ["bytes that are no UTF-8", "gr\xfcn", ["grün"]],
    ["characters", "grün → 緑", ["grün → 緑"]],
    ["control characters", "a\0b\x1b[31mc\x9bd\te", ["a\\x00b\\x1b[31mc\\x9bd\te"]],
    ["a carriage return that would overwrite the line", "seen\rgone", ["seen\\x0dgone"]],
    ["nothing", "", [""]],
  ])("%s", (_title, text, lines) => {
    expect(readableLines(text)).toEqual(lines);
  });

  it("is cut at the limit, never within a character", () => {
    expect(readableLines("x".repeat(messageLimit))).toEqual(["x".repeat(messageLimit)]);
    expect(readableLines("x".repeat(messageLimit + 10))[0]).toBe(
      `${"x".repeat(messageLimit)} … and 10 more characters`,
    );
    const bytes = Buffer.from(`x${"ü".repeat(10)}`).toString("latin1");
    expect(readableLines(bytes, 10)[0]).toBe("xüüüü … and 12 more characters");
  });
});

describe("the line of progress", () => {
  const screen = (isTTY: boolean) => {
    const written: string[] = [];
    const stream: OutputStream = { isTTY, columns: 20, write: (text) => written.push(text) };
    return { written, terminal: new Terminal({ out: stream, err: stream, env: { NO_COLOR: "1" } }) };
  };

  it("is rewritten in place, and makes room for whole lines", () => {
    const { written, terminal } = screen(true);
    terminal.progress("scanning 1");
    terminal.progress("scanning 1");
    terminal.out("done");
    terminal.progress("");
    expect(written.join("")).toBe("\r\u001b[Kscanning 1\r\u001b[Kdone\nscanning 1\r\u001b[K");
  });

  it("never wraps", () => {
    const { written, terminal } = screen(true);
    terminal.progress("x".repeat(100));
    expect(written).toEqual([`\r\u001b[K${"x".repeat(19)}`]);
  });

  it("is shown where the terminal does not know its width", () => {
    const written: string[] = [];
    const stream: OutputStream = { isTTY: true, columns: 0, write: (text) => written.push(text) };
    new Terminal({ out: stream, err: stream, env: {} }).progress("reading");
    expect(written).toEqual(["\r\u001b[Kreading"]);
  });

  it("does not reach a pipe", () => {
    const { written, terminal } = screen(false);
    terminal.progress("scanning 1");
    terminal.err("done");
    expect(written).toEqual(["done\n"]);
  });
});

it("gives quantities with units", () => {
  expect([0, 0.44, 9.94, 9.96, 412.3, 9949, 12_340].map(formatMs)).toEqual([
    "0.0 ms",
    "0.4 ms",
    "9.9 ms",
    "10 ms",
    "412 ms",
    "9949 ms",
    "12.3 s",
  ]);
  expect([0, 59_999, 60_000, 7_500_000, 180_000_000].map(formatSpan)).toEqual([
    "0 s",
    "59 s",
    "1 min",
    "2 h 5 min",
    "2 d 2 h",
  ]);
});
