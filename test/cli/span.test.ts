/** Times as people write them on the command line. */

import { describe, expect, it } from "vitest";
import { parseSpanMs } from "../../src/cli/span.ts";

const hourMs = 3_600_000;

describe("a span of time", () => {
  it.each<[string, number]>([
    ["250", 250],
    ["250ms", 250],
    ["90s", 90_000],
    ["10m", 600_000],
    ["10min", 600_000],
    ["10 M", 600_000],
    ["1.5h", 5_400_000],
    ["24h", 24 * hourMs],
  ])("%s is %i ms", (text, ms) => {
    expect(parseSpanMs("--limit", text, 24 * hourMs)).toBe(ms);
  });

  it.each(["", "m", "0", "0s", "0.1ms", "-5m", "+5m", "1e3", "10x", "10m5s", "constructor", "24.1h", "1d"])(
    "%j is none",
    (text) => {
      expect(() => parseSpanMs("--limit", text, 24 * hourMs)).toThrow(
        expect.objectContaining({ code: "usage", message: expect.stringContaining("at most 24h") }),
      );
    },
  );
});
