/** Reads the control API's answers; keys that a newer agent adds are no fault. */

import { z } from "zod";
import { ReluaError } from "../errors.ts";
import type { Report } from "../observe/report.ts";

const names = z.array(z.string());
/** JSON says null where there is nothing. */
export const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined);

const moment = z.string().transform((text) => Date.parse(text));

const holdSchema = z.object({ owner: z.string(), reason: z.string(), since: moment, endsInMs: z.number() });

const viaSchema = z.object({
  name: z.string(),
  kind: z.enum(["load", "call", "alias"]),
  at: z.string().optional(),
  static: z.literal(true).optional(),
});

export const evictedSchema = z.array(
  z.object({ name: z.string(), because: names, via: viaSchema.optional() }),
);

export const keptSchema = z.array(z.object({ name: z.string(), why: z.string() }));

const reportSchema = z.object({
  id: z.number(),
  outcome: z.enum(["committed", "recycle-required", "rejected", "unchanged", "planned", "held"]),
  generation: z.number(),
  trigger: z.enum(["watch", "api", "clean", "signal", "call", "rollback", "release"]),
  reason: z.string().optional(),
  startedAt: moment,
  durationMs: z.number(),
  stages: z
    .object({ scanMs: z.number(), planMs: z.number(), canaryMs: z.number(), commitMs: z.number() })
    .optional(),
  changes: z.array(
    z.object({
      file: z.string(),
      kind: z.enum(["added", "changed", "removed"]),
      roots: names.optional(),
    }),
  ),
  evicted: evictedSchema,
  kept: keptSchema,
  vms: z.array(z.object({ id: z.number(), appliedMs: z.number().optional() })),
  targets: z
    .array(
      z.object({
        target: z.string(),
        applied: z.array(z.object({ id: z.number() })),
        missing: names,
        error: optional(z.string()),
      }),
    )
    .default([]),
  missing: names.optional(),
  errors: z.array(
    z.object({
      file: optional(z.string()),
      line: optional(z.number()),
      message: z.string(),
      requiredBy: names,
    }),
  ),
  recycleRequired: names.default([]),
  diskDiffers: z.boolean().default(false),
  hold: optional(holdSchema),
  rolledBackTo: optional(z.number()),
});

const toldTargetSchema = z.object({
  name: z.string(),
  type: z.string(),
  state: z.string(),
  generation: optional(z.number()),
  acknowledges: z.boolean(),
  workers: z.array(z.object({ worker: z.string(), generation: optional(z.number()) })),
  error: optional(z.string()),
});

const watchSchema = z.object({
  files: z.number(),
  folders: z.number(),
  mode: z.string(),
  live: z.boolean().default(true),
  roots: z.array(z.object({ folder: z.string(), realFolder: optional(z.string()) })).default([]),
  missingRoots: names.default([]),
  skipped: z.array(z.object({ file: z.string(), reason: z.string() })).default([]),
  ignored: names.default([]),
  sweep: z.object({ lastAt: optional(moment), costMs: z.number(), missed: z.number() }).optional(),
  reading: optional(z.object({ filesDone: z.number(), filesTotal: z.number() })),
});

const statusSchema = z.object({
  generation: z.number(),
  pending: z.boolean(),
  held: z.boolean(),
  hold: optional(holdSchema),
  diskDiffers: z.boolean().default(false),
  rolledBackTo: optional(z.number()),
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
  targets: z.array(toldTargetSchema).default([]),
  watch: watchSchema,
  /** Requests and calls that wait for a VM. */
  waiting: z.number().default(0),
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
export type ToldWatch = z.infer<typeof watchSchema>;
export type ToldTarget = z.infer<typeof toldTargetSchema>;
export type ToldHold = z.infer<typeof holdSchema>;
export type Cleaned = z.infer<typeof cleanedSchema>;

export const parseReport = (body: unknown): Report => parse(reportSchema, body, "a reload's outcome");
export const parseHistory = (body: unknown): readonly Report[] =>
  parse(z.array(reportSchema), body, "a history");
export const parseHold = (body: unknown): ToldHold => parse(holdSchema, body, "a hold");
export const parseStatus = (body: unknown): ToldStatus => parse(statusSchema, body, "a status");
export const parseCleaned = (body: unknown): Cleaned => parse(cleanedSchema, body, "NJet's answer");

/** @throws ReluaError `agent-unreachable`: something answers, but no agent that this command understands */
export function parse<T extends z.ZodType>(schema: T, body: unknown, what: string): z.output<T> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const shown = JSON.stringify(body).slice(0, 200);
  throw new ReluaError("agent-unreachable", `the answer is not ${what}: ${shown}`);
}
