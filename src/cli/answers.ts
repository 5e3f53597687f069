/** Reads the control API's answers; keys that a newer agent adds are no fault. */

import { z } from "zod";
import { ReluaError } from "../errors.ts";
import type { Report } from "../observe/report.ts";

const names = z.array(z.string());
/** JSON says null where there is nothing. */
const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined);

const reportSchema = z.object({
  id: z.number(),
  outcome: z.enum(["committed", "recycle-required", "rejected", "unchanged", "planned", "held"]),
  generation: z.number(),
  trigger: z.enum(["watch", "api", "clean", "signal", "call", "rollback", "release"]),
  reason: z.string().optional(),
  startedAt: z.string().transform((text) => Date.parse(text)),
  durationMs: z.number(),
  changes: z.array(z.object({ file: z.string(), kind: z.enum(["added", "changed", "removed"]) })),
  evicted: z.array(z.object({ name: z.string(), because: names })),
  kept: z.array(z.object({ name: z.string(), why: z.string() })),
  vms: z.array(z.object({ id: z.number() })),
  errors: z.array(
    z.object({
      file: optional(z.string()),
      line: optional(z.number()),
      message: z.string(),
      requiredBy: names,
    }),
  ),
  recycleRequired: names.default([]),
});

const statusSchema = z.object({
  generation: z.number(),
  pending: z.boolean(),
  held: z.boolean(),
  hold: optional(z.object({ owner: z.string(), reason: z.string(), endsInMs: z.number() })),
  diskDiffers: z.boolean().default(false),
  vms: z.array(
    z.object({
      id: z.number(),
      state: z.string(),
      generation: z.number(),
      inFlight: z.number(),
      modules: z.number(),
      /** Bytes; null until it was measured. */
      heap: optional(z.number()),
      restarts: z.number(),
    }),
  ),
  watch: z.object({
    files: z.number(),
    folders: z.number(),
    mode: z.string(),
    missingRoots: names.default([]),
    skipped: z.array(z.object({ file: z.string(), reason: z.string() })).default([]),
  }),
  rejected: optional(reportSchema),
  uptimeMs: z.number().optional(),
});

/** NJet's envelope with Relua's keys behind it (contract §4). */
const cleanedSchema = z.object({
  code: z.number(),
  msg: z.string(),
  data: names.default([]),
  generation: z.number().optional(),
  evicted: z.array(z.unknown()).optional(),
});

export type ToldStatus = z.infer<typeof statusSchema>;
export type Cleaned = z.infer<typeof cleanedSchema>;

export const parseReport = (body: unknown): Report => parse(reportSchema, body, "a reload's outcome");
export const parseStatus = (body: unknown): ToldStatus => parse(statusSchema, body, "a status");
export const parseCleaned = (body: unknown): Cleaned => parse(cleanedSchema, body, "NJet's answer");

/** @throws ReluaError `agent-unreachable`: something answers, but no agent that this command understands */
function parse<T extends z.ZodType>(schema: T, body: unknown, what: string): z.output<T> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const shown = JSON.stringify(body).slice(0, 200);
  throw new ReluaError("agent-unreachable", `the answer is not ${what}: ${shown}`);
}
