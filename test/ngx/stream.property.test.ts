import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Answer, createSite } from "./site.ts";

/** What a handler does to its output, one step after the other. */
const step = fc.oneof(
  fc.record({ kind: fc.constant("print" as const), bytes: fc.integer({ min: 0, max: 100_000 }) }),
  fc.record({ kind: fc.constantFrom("flush", "wait", "sleep" as const) }),
);
type Step = { readonly kind: string; readonly bytes?: number };

function luaFor(steps: readonly Step[]): string {
  const letter = (index: number) => String.fromCharCode(97 + (index % 26));
  return steps
    .map(({ kind, bytes }, index) => {
      if (kind === "print") return `ngx.print(string.rep("${letter(index)}", ${bytes}))`;
      if (kind === "flush") return "ngx.flush()";
      return kind === "wait" ? "ngx.flush(true)" : "ngx.sleep(0)";
    })
    .join("\n");
}

function expectedBody(steps: readonly Step[]): string {
  return steps.map(({ bytes = 0 }, index) => String.fromCharCode(97 + (index % 26)).repeat(bytes)).join("");
}

/** One complete response, in one message or in pieces, and `done` last. */
function wellFormed({ messages }: Answer): boolean {
  return /^(response|head( data)* finish) done$/.test(
    messages.map((message) => message.replace(/:.*/, "")).join(" "),
  );
}

async function check(prelude: string): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const site = createSite({ "/": { content: luaFor(steps) } });
      site.chunk(prelude);
      const answer = await site.ask();
      return answer.body === expectedBody(steps) && wellFormed(answer);
    }),
    { numRuns: 60 },
  );
}

describe("whatever the pieces and the waiting, the client gets every byte once and in order", () => {
  it("holds", () => check(""));

  it("control: is violated by an output that loses the piece after a flush", async () => {
    const broken =
      "local print, flush, flushed = ngx.print, ngx.flush, false " +
      "ngx.flush = function(...) flushed = true return flush(...) end " +
      "ngx.print = function(...) if flushed then flushed = false return 1 end return print(...) end";
    await expect(check(broken)).rejects.toThrow(/Property failed/);
  });
});
