/** The shapes of the control plane's answers: what `present` makes, what OpenAPI says, what clients may rely on. */

import { z } from "zod";
import { reasonCodes } from "../../core/reason.ts";

const name = z.string().describe("Module name, as given to require");
const file = z.string().describe("Path, relative to the prefix where it lies inside");
const hash = z.string().describe("XXH64 of the content");
const milliseconds = z.number().nonnegative();
const generation = z.int().nonnegative();
const vmId = z.int().positive();

export const changeSchema = z.strictObject({
  file,
  kind: z.enum(["added", "changed", "removed"]),
  hash: hash.optional(),
  was: hash.optional().describe("The hash before"),
  roots: z.array(name).optional().describe("Loaded names that it concerns: where chains begin"),
});

const kind = z.enum(["load", "call"]);
const isStatic = z.literal(true).optional().describe("Read off the source: no VM has told of it");
const at = z.string().describe("Where the require stands");

const viaSchema = z.strictObject({
  name,
  kind: z.enum([...kind.options, "alias"]),
  at: at.optional(),
  static: isStatic,
});

export const evictedSchema = z.strictObject({
  name,
  because: z.array(name).describe("Shortest chain from a root to this name"),
  via: viaSchema.optional().describe("Its last step: what it requires, how and where; absent for a root"),
});

export const edgeSchema = z.strictObject({ from: z.string(), to: name, kind, at, static: isStatic });

export const keptSchema = z.strictObject({ name, why: z.string() });

export const loadErrorSchema = z.strictObject({
  file: file.nullable(),
  line: z.int().nullable(),
  message: z.string(),
  requiredBy: z.array(name),
});

export const holdSchema = z.strictObject({
  owner: z.string(),
  reason: z.string(),
  since: z.iso.datetime(),
  endsInMs: milliseconds,
});

const appliedSchema = z.strictObject({
  id: vmId,
  appliedMs: milliseconds,
  recycled: z.string().optional().describe("Why it is replaced by a new one"),
});

const targetReportSchema = z.strictObject({
  target: z.string(),
  applied: z.array(appliedSchema).describe("Workers that run this generation"),
  missing: z.array(z.string()).describe("Those that did not yet when the outcome was told"),
  error: z.string().optional(),
});

const workerSchema = z.strictObject({
  id: vmId.describe("Among the workers of all targets"),
  worker: z.string().describe("As the host names it"),
  pid: z.int().nullable(),
  generation: generation.nullable().describe("The last that it has applied"),
  modules: z.int().nonnegative().nullable(),
  errors: z.array(z.string()),
});

const targetSchema = z.strictObject({
  name: z.string(),
  type: z.enum(["nginx", "njet", "command"]),
  state: z.enum(["new", "current", "behind", "down"]),
  generation: generation
    .nullable()
    .describe("The last that it took; where it acknowledges: that all workers run"),
  acknowledges: z.boolean().describe("False: nobody learns whether its workers have applied anything"),
  workers: z.array(workerSchema),
  error: z.string().nullable(),
});

export const outcomeSchema = z.strictObject({
  id: z.int(),
  outcome: z.enum(["committed", "recycle-required", "rejected", "unchanged", "planned", "held"]),
  generation: generation.describe("The one that runs afterwards"),
  trigger: z.enum(["watch", "api", "clean", "signal", "call", "rollback", "release"]),
  reason: z.string().optional(),
  startedAt: z.iso.datetime(),
  durationMs: milliseconds,
  stages: z
    .strictObject({
      scanMs: milliseconds,
      planMs: milliseconds,
      canaryMs: milliseconds,
      commitMs: milliseconds,
    })
    .describe("Where the time went"),
  changes: z.array(changeSchema),
  evicted: z.array(evictedSchema),
  kept: z.array(keptSchema),
  vms: z.array(appliedSchema),
  errors: z.array(loadErrorSchema),
  targets: z.array(targetReportSchema).describe("The hosts beside the agent"),
  missing: z
    .array(z.string())
    .optional()
    .describe("With waitMs: VMs and workers that had not applied it when the time was over"),
  recycleRequired: z.array(name).describe("Pinned modules whose own source changed"),
  diskDiffers: z.boolean().describe("The disk is not what runs afterwards"),
  hold: holdSchema.optional().describe("The hold that stands in the way, or that the release ended"),
  rolledBackTo: generation.optional().describe("The generation whose sources a rollback asked for"),
});

export const vmSchema = z.strictObject({
  id: vmId,
  state: z.enum(["booting", "ready", "draining", "down"]),
  generation,
  inFlight: z.int().nonnegative(),
  modules: z.int().nonnegative(),
  heap: z.int().nonnegative().nullable().describe("Bytes of JavaScript heap; null before it was measured"),
  restarts: z.int().nonnegative(),
});

const watchSchema = z.strictObject({
  files: z.int().nonnegative(),
  folders: z.int().nonnegative(),
  mode: z.enum(["events", "polling", "sweep", "manual"]),
  live: z.boolean().describe("Changes are noticed without being asked for"),
  roots: z
    .array(
      z.strictObject({
        folder: file,
        realFolder: file.nullable().describe("Symlinks resolved; null while nothing is there"),
      }),
    )
    .describe("The folders that the search path names"),
  missingRoots: z.array(file),
  skipped: z.array(z.strictObject({ file, reason: z.string() })).describe("The first hundred"),
  ignored: z.array(z.string()).describe("Each rule by which a path is no module, in words"),
  sweep: z
    .strictObject({
      lastAt: z.iso.datetime().nullable().describe("When the last one ended; null before the first"),
      costMs: milliseconds,
      missed: z.int().nonnegative().describe("Differences so far that no event had told of"),
    })
    .describe("Comparing the whole tree with what is known, beside all events"),
  reading: z
    .strictObject({ filesDone: z.int().nonnegative(), filesTotal: z.int().nonnegative() })
    .nullable()
    .describe("A pass over the disk that has been running for over a second; null while there is none"),
});

export const statusSchema = z.strictObject({
  generation,
  pending: z.boolean().describe("An observed change has no outcome yet"),
  held: z.boolean(),
  hold: holdSchema.nullable().describe("Who holds, and why"),
  diskDiffers: z
    .boolean()
    .describe("The disk is not what runs: after a rejection or a rollback, or during a hold"),
  rolledBackTo: generation
    .nullable()
    .describe("The generation whose sources run again; null unless the last commit was a rollback"),
  vms: z.array(vmSchema),
  targets: z.array(targetSchema).describe("The hosts beside the agent"),
  watch: watchSchema,
  waiting: z.int().nonnegative().describe("Requests and calls that wait for a VM"),
  rejected: outcomeSchema.nullable().describe("The standing rejection"),
  uptimeMs: milliseconds,
});

export const planSchema = z.strictObject({
  roots: z.array(name),
  evicted: z.array(evictedSchema),
  kept: z.array(keptSchema),
  recycleRequired: z.array(name),
});

export const moduleSchema = z.strictObject({
  name,
  file: file.nullable(),
  hash: hash.nullable(),
  generation: generation.describe("The one it was loaded in last"),
  vms: z.array(vmId).describe("VMs that hold it"),
  aliases: z.array(name).describe("Other names of the same file"),
  pinned: z.string().nullable().describe("Why it is never evicted"),
  requires: z.array(name),
  dependents: z.array(name),
});

export const graphSchema = z.strictObject({
  nodes: z.array(
    z.strictObject({
      name: z.string().describe("A module, or a chunk that requires and is none: =content_by(/x)"),
      file: file.nullable(),
      vms: z.array(vmId),
      static: isStatic,
    }),
  ),
  edges: z.array(edgeSchema),
  cycles: z.array(z.array(name)).describe("Modules that all lead to each other"),
  aliases: z
    .array(z.strictObject({ file, names: z.array(name) }))
    .describe("Files of several names: an instance for each"),
  incomplete: z.string().nullable().describe("Why static edges are missing"),
});

export const problemSchema = z.strictObject({
  type: z.literal("about:blank"),
  title: z.string(),
  status: z.int(),
  code: z.string().describe("Stable; to branch on"),
  detail: z.string(),
  errors: z.array(z.string()).optional(),
});

export const reasonSchema = z.strictObject({
  code: z.enum(reasonCodes).describe("Stable; to branch on"),
  text: z.string(),
});

const fileNameSchema = z.strictObject({
  name,
  shadowedBy: file.optional().describe("The file that answers to this name"),
});

export const resolutionSchema = z.strictObject({
  name: name.nullable().describe("In canonical spelling; null where a file was asked for"),
  file: file.nullable().describe("As the search path forms it"),
  realFile: file.nullable().describe("Symlinks resolved; null where nothing is"),
  probes: z.array(file).describe("What the search tried before and missed, in order"),
  shadowed: z.array(file).describe("Files that answer to the name as well, behind this one"),
  names: z.array(fileNameSchema).describe("Every name that leads to the file"),
  reason: reasonSchema.nullable().describe("Why it leads nowhere; null where it does"),
});

const verdict = {
  id: z.int(),
  outcome: outcomeSchema.shape.outcome,
  generation,
  startedAt: z.iso.datetime(),
};

const moduleVerdictSchema = z.strictObject({
  ...verdict,
  evicted: z.boolean(),
  causes: z.array(changeSchema).describe("What the chain begins with; none when it was asked for by name"),
  chain: z
    .array(
      z.strictObject({
        name,
        kind: viaSchema.shape.kind.optional(),
        at: at.optional(),
        static: isStatic,
      }),
    )
    .describe("From the root to this name; each step requires the one before, or is another name of it"),
  reason: reasonSchema.nullable().describe("Why it was not evicted"),
});

const fileVerdictSchema = z.strictObject({
  ...verdict,
  change: changeSchema,
  evicted: z.array(name).describe("Modules that went because of it, or of a rejection: would have gone"),
});

export const moduleExplanationSchema = moduleSchema.extend({
  generation: generation.nullable().describe("The one it was loaded in last; null where no VM knows it"),
  resolution: resolutionSchema.describe("Where the search path leads now"),
  edges: z.array(edgeSchema).describe("requires and dependents with their places, and what only sources say"),
  reasons: z.array(reasonSchema).describe("Why it is not evicted now; the first says most"),
  last: moduleVerdictSchema.nullable().describe("What the newest reload did to it, and why"),
  lastEvicted: moduleVerdictSchema.nullable().describe("The newest reload that evicted it"),
  onChange: planSchema.nullable().describe("What a change of its file would do"),
  incomplete: z.string().nullable().describe("Why static edges are missing"),
});

export const fileExplanationSchema = z.strictObject({
  file,
  realFile: file.nullable(),
  hash: hash.nullable().describe("Of what runs"),
  onDisk: hash.nullable().describe("Of what is on the disk"),
  names: z.array(fileNameSchema.extend({ vms: z.array(vmId) })),
  reasons: z.array(reasonSchema).describe("Why nothing is evicted because of it now; the first says most"),
  last: fileVerdictSchema.nullable().describe("The newest reload that it was part of"),
  onChange: planSchema.describe("What a change of it would do"),
});

/** Of files that are asked about. */
export const plannedFilesSchema = planSchema.extend({
  changed: z.array(
    z.strictObject({
      file,
      roots: z.array(name).describe("Loaded names that it concerns"),
      reasons: z.array(reasonSchema).describe("Why it would evict nothing, or not at once"),
    }),
  ),
});

export type PresentedOutcome = z.infer<typeof outcomeSchema>;
export type PresentedStatus = z.infer<typeof statusSchema>;
export type PresentedHold = z.infer<typeof holdSchema>;
export type PresentedPlan = z.infer<typeof planSchema>;
export type PresentedChange = z.infer<typeof changeSchema>;
export type PresentedGraph = z.infer<typeof graphSchema>;
export type PresentedModule = z.infer<typeof moduleSchema>;
export type PresentedModuleExplanation = z.infer<typeof moduleExplanationSchema>;
export type PresentedFileExplanation = z.infer<typeof fileExplanationSchema>;
export type PresentedResolution = z.infer<typeof resolutionSchema>;
