/** Reads the control API's explanations: of modules, of files, and where names and files lead. */

import { z } from "zod";
import { evictedSchema, keptSchema, optional, parse } from "./answers.ts";

const names = z.array(z.string());
const reasonSchema = z.object({ code: z.string(), text: z.string() });

const fileNameSchema = z.object({ name: z.string(), shadowedBy: z.string().optional() });

const resolutionSchema = z.object({
  name: optional(z.string()),
  file: optional(z.string()),
  realFile: optional(z.string()),
  probes: names,
  shadowed: names,
  names: z.array(fileNameSchema),
  reason: optional(reasonSchema),
});

const planSchema = z.object({ evicted: evictedSchema, kept: keptSchema, recycleRequired: names.default([]) });

const verdict = {
  id: z.number(),
  outcome: z.string(),
  generation: z.number(),
  startedAt: z.string().transform((text) => Date.parse(text)),
};
const changeSchema = z.object({ file: z.string(), kind: z.string() });

const stepSchema = z.object({
  name: z.string(),
  kind: z.enum(["load", "call", "alias"]).optional(),
  at: z.string().optional(),
  static: z.literal(true).optional(),
});

const moduleVerdictSchema = z.object({
  ...verdict,
  evicted: z.boolean(),
  causes: z.array(changeSchema),
  chain: z.array(stepSchema),
  reason: optional(reasonSchema),
});

const edgeSchema = z.object({
  from: z.string(),
  to: z.string(),
  kind: z.enum(["load", "call"]),
  at: z.string(),
  static: z.literal(true).optional(),
});

const moduleSchema = z.object({
  name: z.string(),
  file: optional(z.string()),
  hash: optional(z.string()),
  generation: optional(z.number()),
  vms: z.array(z.number()),
  aliases: names,
  pinned: optional(z.string()),
  resolution: resolutionSchema,
  edges: z.array(edgeSchema),
  reasons: z.array(reasonSchema),
  last: optional(moduleVerdictSchema),
  lastEvicted: optional(moduleVerdictSchema),
  onChange: optional(planSchema),
  incomplete: optional(z.string()),
});

const fileSchema = z.object({
  file: z.string(),
  realFile: optional(z.string()),
  hash: optional(z.string()),
  onDisk: optional(z.string()),
  names: z.array(fileNameSchema.extend({ vms: z.array(z.number()) })),
  reasons: z.array(reasonSchema),
  last: optional(z.object({ ...verdict, change: changeSchema, evicted: names })),
  onChange: planSchema,
});

export type ToldModule = z.infer<typeof moduleSchema>;
export type ToldFile = z.infer<typeof fileSchema>;
export type ReadResolution = z.infer<typeof resolutionSchema>;
export type ToldPlan = z.infer<typeof planSchema>;
export type ToldVerdict = z.infer<typeof moduleVerdictSchema>;

export const parseModule = (body: unknown): ToldModule => parse(moduleSchema, body, "a module");
export const parseFile = (body: unknown): ToldFile => parse(fileSchema, body, "a file");
export const parseResolution = (body: unknown): ReadResolution =>
  parse(resolutionSchema, body, "a resolution");
