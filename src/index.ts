/** What the package exports. */

export { type Agent, type AgentEvents, createAgent } from "./agent.ts";
export { type ConfigInput, defineConfig } from "./config/index.ts";
export type { Change } from "./core/change-set.ts";
export type { LogLevel } from "./core/log.ts";
export type { LoadError, Outcome, OutcomeKind, StageTimings, Trigger, VmApplied } from "./core/outcome.ts";
export type { PlainValue } from "./core/plain-value.ts";
export type { Kept, Plan } from "./core/plan.ts";
export type { AgentStatus, SweepStatus, VmStatus, WatchedRoot, WatchStatus } from "./core/status.ts";
export { type ErrorCode, ReluaError } from "./errors.ts";
export type { ReloadRequest } from "./reload/reloader.ts";
