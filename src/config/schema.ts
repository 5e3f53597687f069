/** What watch.config.ts may hold: every key with its type, range and default. */

import { availableParallelism } from "node:os";
import { z } from "zod";
import { ruleIds } from "../core/check-rules.ts";
import { closedObject } from "../core/closed-object.ts";
import { configServerSchema } from "../core/servers.ts";
import { choice, flag, section, size, takes, text, texts, whole } from "./fields.ts";
import { targetsSchema } from "./targets-schema.ts";

const hourMs = 3_600_000;

/** What `relua check` leaves out: a rule everywhere, or in some files. */
const ignoredFinding = z.union(
  [
    choice(ruleIds),
    closedObject({
      rule: choice(ruleIds),
      /** Paths or globs, as in `watch.ignore`. */
      files: texts("paths or globs"),
    }),
  ],
  takes(`a rule or { rule, files }; the rules are ${ruleIds.join(", ")}`),
);

/** Keys of `watch`, when it is not false. */
export const watchSchema = closedObject({
  /** Milliseconds of quiet after which a change set counts as complete. */
  settleMs: whole(0, 60_000).default(20),
  /** Milliseconds after which a change set goes on although the disk is still busy; default 1000 or `settleMs`. */
  maxWaitMs: whole(0, 600_000).optional(),
  /** Look at the disk in intervals instead of asking the system for events (network mounts). */
  polling: flag().default(false),
  /** Milliseconds between two looks at everything, which find what events missed; 0 for never. */
  sweepMs: whole(0, hourMs).default(5000),
  /** Paths or globs that are never modules. */
  ignore: texts("paths or globs").default(() => []),
  /** Files larger than this are no modules. */
  maxFileBytes: size("1", "1g").default(8 * 1024 ** 2),
}).transform((watch) => ({ ...watch, maxWaitMs: watch.maxWaitMs ?? Math.max(1000, watch.settleMs) }));

/** The keys of the config file. Parsed key by key, so that one wrong section does not hide another. */
export const configShape = {
  prefix: text("a folder").min(1, takes("a folder")).optional(),
  luaPackagePath: text("templates with ?, separated by ;").default(
    "$prefix/apps/?.lua;$prefix/apps/?/init.lua;;",
  ),
  luaCodeCache: flag().default(true),
  threads: z
    .union([z.literal("auto"), whole(1, 256, '"auto" or 1 to 256')], takes('"auto" or 1 to 256'))
    .default("auto")
    .transform((threads) => (threads === "auto" ? availableParallelism() : threads)),
  concurrency: whole(1, 65_536).default(64),
  sharedDicts: z
    .record(
      z.string().regex(/^[^\s\0]+$/, takes("names without blanks")),
      size("8k", "2g"),
      takes('an object of names and sizes, { sessions: "10m" }'),
    )
    .default(() => ({})),
  initBy: text("Lua source text").default(""),
  initWorkerBy: text("Lua source text").default(""),
  /** Whether responses carry `x-relua-generation` and `x-relua-vm`. */
  exposeGeneration: flag().default(true),
  /** Milliseconds that requests in flight have to finish at the end. */
  shutdownMs: whole(0, hourMs).default(10_000),
  servers: z.array(configServerSchema, takes("a list of servers")).default(() => []),
  control: section({
    listen: text("ADDRESS:PORT").default("127.0.0.1:8081"),
    token: text("a text, or nothing").optional(),
    /** Names that the `Host` header may have, beside loopback names and the address itself. */
    allowedHosts: texts("host names").default(() => []),
  }),
  watch: z.union([z.literal(false), watchSchema], takes("false or an object")).prefault({}),
  reload: section({
    /** How far the canary goes before a commit. */
    preflight: choice(["load", "compile", "off"]).default("load"),
    /** A program of the host that must accept each changed file, `["luajit", "-bl"]`; the file is its last argument. */
    hostCheck: texts("words: a program and its arguments").default(() => []),
    /** Module names or globs (`lib.*`) that are never evicted. */
    pinned: texts("module names or globs").default(() => []),
    /** What to do when one file is loaded under two names. */
    aliases: choice(["warn", "error", "off"]).default("warn"),
    /** Load evicted modules again at once instead of at the next require. */
    warm: flag().default(true),
    /** Reloads to remember. */
    history: whole(1, 100_000).default(100),
    /** Replace the VMs when a pinned module changed. */
    recycle: flag().default(false),
    /** Milliseconds that the canary may take. */
    canaryMs: whole(1, hourMs).default(10_000),
  }),
  check: section({
    /** Findings that are not told. */
    ignore: z.array(ignoredFinding, takes("a list of rules, or of { rule, files }")).default(() => []),
    /** Globals that the code may read and write. */
    globals: texts("names of globals").default(() => []),
    /** Modules that the host provides: names or patterns with `*`. */
    modules: texts("module names or globs").default(() => []),
  }),
  /** Hosts beside us that generations are delivered to. */
  targets: targetsSchema.default(() => []),
  limits: section({
    /** Milliseconds that a request may take; 0 for any. */
    requestMs: whole(0, hourMs).default(30_000),
    /** Lua instructions that a request may take; 0 for any. */
    instructions: whole(0, Number.MAX_SAFE_INTEGER).default(0),
    bodyBytes: size("0", "1g").default(1024 ** 2),
    /** JavaScript heap of one VM in megabytes. */
    heapMb: whole(16, 65_536).default(256),
    /** Requests that may wait for a VM; more are answered 503. */
    queue: whole(0, 1_000_000).default(1024),
  }),
} as const;

/** The whole file; `parseConfig` goes through its keys one by one. */
export const configSchema = closedObject(configShape);

/** What a user writes: a plain object, every key optional. */
export type ConfigInput = z.input<typeof configSchema>;
/** The same with defaults filled in and sizes in bytes, before paths are resolved. */
export type ConfigValues = z.output<typeof configSchema>;
