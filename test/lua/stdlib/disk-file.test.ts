/** A buffered file against a plain array of bytes: any order of reads, writes and moves ends alike. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDiskFile } from "../../../src/lua/stdlib/disk-file.ts";
import type { LuaStream, Whence } from "../../../src/lua/stdlib/stream.ts";

let path = "";
beforeAll(() => {
  path = join(mkdtempSync(join(tmpdir(), "relua-disk-file-")), "file");
});
afterAll(() => rmSync(join(path, ".."), { recursive: true }));

type Step =
  | { readonly do: "take"; readonly count: number }
  | { readonly do: "takeLine" }
  | { readonly do: "peek" }
  | { readonly do: "write"; readonly text: string }
  | { readonly do: "seek"; readonly whence: Whence; readonly offset: number };

const text = fc.string({ unit: fc.constantFrom("a", "b", "\n", "ÿ"), maxLength: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("take" as const), count: fc.nat(10) }),
  fc.record({ do: fc.constant("takeLine" as const) }),
  fc.record({ do: fc.constant("peek" as const) }),
  fc.record({ do: fc.constant("write" as const), text }),
  fc.record({
    do: fc.constant("seek" as const),
    whence: fc.constantFrom("set" as const, "cur" as const, "end" as const),
    offset: fc.integer({ min: -3, max: 8 }),
  }),
);

/** What a file is: bytes and a place in them. Texts are latin1. */
class Model {
  bytes: string;
  readonly append: boolean;
  place = 0;

  constructor(bytes: string, append: boolean) {
    this.bytes = bytes;
    this.append = append;
  }

  take(count: number): string {
    const taken = this.bytes.slice(this.place, this.place + count);
    this.place += taken.length;
    return taken;
  }

  takeLine(): string {
    const end = this.bytes.indexOf("\n", this.place);
    return this.take(end < 0 ? this.bytes.length : end + 1 - this.place);
  }

  write(text: string): void {
    if (text === "") return;
    if (this.append) this.place = this.bytes.length;
    this.bytes =
      this.bytes.slice(0, this.place).padEnd(this.place, "\0") +
      text +
      this.bytes.slice(this.place + text.length);
    this.place += text.length;
  }

  seek(whence: Whence, offset: number): number | "refused" {
    const place = { set: 0, cur: this.place, end: this.bytes.length }[whence] + offset;
    if (place < 0) return "refused";
    this.place = place;
    return place;
  }
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

function onModel(model: Model, step: Step): unknown {
  if (step.do === "take") return model.take(step.count);
  if (step.do === "takeLine") return model.takeLine();
  if (step.do === "peek") return model.bytes.length > model.place ? model.bytes.charCodeAt(model.place) : -1;
  if (step.do === "write") return model.write(step.text);
  return model.seek(step.whence, step.offset);
}

function onStream(stream: LuaStream, step: Step): unknown {
  if (step.do === "take") return latin1(stream.take(step.count));
  if (step.do === "takeLine") return latin1(stream.takeLine());
  if (step.do === "peek") return stream.peek();
  if (step.do === "write") return stream.write(Buffer.from(step.text, "latin1"));
  try {
    return stream.seek(step.whence, step.offset);
  } catch {
    return "refused";
  }
}

/** Runs random steps on a file and on the model; fails where they part. */
function compare(open: (mode: string) => LuaStream): void {
  fc.assert(
    fc.property(
      fc.constantFrom("r+", "a+", "w+"),
      text,
      fc.array(step, { maxLength: 12 }),
      (mode, start, steps) => {
        writeFileSync(path, start, "latin1");
        const model = new Model(mode === "w+" ? "" : start, mode === "a+");
        const stream = open(mode);
        try {
          for (const step of steps) expect(onStream(stream, step)).toEqual(onModel(model, step));
        } finally {
          stream.close();
        }
        expect(readFileSync(path, "latin1")).toBe(model.bytes);
      },
    ),
    { numRuns: 300 },
  );
}

describe("a file on disk", () => {
  it("does what an array of bytes would do", () => {
    compare((mode) => openDiskFile(Buffer.from(path), mode));
  });

  it("is told from one that reads ahead and forgets it before it writes", () => {
    const forgetful = (mode: string): LuaStream => {
      const file = openDiskFile(Buffer.from(path), mode);
      let ahead = Buffer.alloc(0);
      return {
        standard: false,
        peek: () => file.peek(),
        take(count) {
          ahead = Buffer.concat([ahead, file.take(count + 4)]);
          const taken = ahead.subarray(0, count);
          ahead = ahead.subarray(count);
          return taken;
        },
        takeLine: () => file.takeLine(),
        write: (bytes) => file.write(bytes),
        seek: (whence, offset) => file.seek(whence, offset),
        flush() {},
        close: () => file.close(),
      };
    };
    expect(() => compare(forgetful)).toThrow("Property failed");
  });

  it("reads lines longer than its buffer, and bytes across its edge", () => {
    const long = `${"x".repeat(70_000)}\n${"y".repeat(70_000)}`;
    writeFileSync(path, long);
    const file = openDiskFile(Buffer.from(path), "r");
    expect(latin1(file.takeLine())).toBe(long.slice(0, 70_001));
    expect(latin1(file.take(65_530))).toBe(long.slice(70_001, 70_001 + 65_530));
    expect(latin1(file.takeLine())).toBe(long.slice(70_001 + 65_530));
    expect(file.peek()).toBe(-1);
    file.close();
  });

  it("can be closed twice", () => {
    const file = openDiskFile(Buffer.from(path), "w");
    file.close();
    file.close();
  });
});
