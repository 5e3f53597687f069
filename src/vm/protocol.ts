/** The messages between the main thread and a VM thread, over the one ordered port each VM has. */

import type { MessagePort } from "node:worker_threads";
import type {
  HttpRequest,
  LocationHandlers,
  Redirection,
  ResponseBody,
  ResponseHead,
} from "../core/exchange.ts";
import type { Edge, ModuleObservation } from "../core/graph.ts";
import type { LogLevel } from "../core/log.ts";
import type { ManifestSnapshot } from "../core/manifest.ts";
import type { ActivationOrder, RehearsalOrder, Rehearsed } from "../core/move.ts";
import type { PlainValue } from "../core/plain-value.ts";
import type { FlatRequest } from "./flat-messages.ts";

/** Fixed for the life of an agent. */
export interface VmSettings {
  /** `$prefix`, absolute. */
  readonly prefix: string;
  /** Working folder, absolute; relative templates start here. */
  readonly cwd: string;
  /** `package.path` of a new VM: expanded, without `;;`. */
  readonly packagePath: string;
  /** False: a fresh Lua state for every request. */
  readonly luaCodeCache: boolean;
  readonly initBy: string;
  readonly initWorkerBy: string;
  readonly threads: number;
  readonly limits: {
    readonly requestMs: number;
    readonly instructions: number;
    /** Mebibytes that Lua strings of a VM may take; V8 holds its own heap to the same limit. */
    readonly heapMb: number;
    /** For a canary: how long the change set may take to load. */
    readonly canaryMs: number;
  };
  /** Shared-dict names and sizes in bytes. */
  readonly sharedDicts: Readonly<Record<string, number>>;
  /** Names and patterns that are never evicted. */
  readonly pinned: readonly string[];
  /** `reload.aliases: "error"`. */
  readonly oneNamePerFile: boolean;
  /** Load evicted modules again at once instead of at the next require. */
  readonly warm: boolean;
}

/** The task data of a VM's resident task (Piscina); `port` is in its transfer list. */
export interface VmBoot {
  readonly vm: number;
  readonly port: MessagePort;
  /** See `shared-slots.ts`: counters that the main thread reads while the VM is busy. */
  readonly slots: SharedArrayBuffer;
  readonly settings: VmSettings;
  readonly generation: number;
  readonly manifest: ManifestSnapshot;
  readonly locations: readonly LocationHandlers[];
}

/** Work for one VM; `id` counts up from 1 on each port. */
export type WorkMessage = RequestMessage | CallMessage;

/** Travels as a `FlatRequest`. */
export interface RequestMessage {
  readonly type: "request";
  readonly id: number;
  readonly request: HttpRequest;
}

export interface CallMessage {
  readonly type: "call";
  readonly id: number;
  readonly module: string;
  readonly fn: string;
  readonly args: readonly PlainValue[];
}

/** The move to the next generation. */
export type ActivateMessage = { readonly type: "activate" } & ActivationOrder;

/** To the canary alone. `adopt` keeps what it loaded; another `rehearse` drops it. */
export type RehearseMessage = { readonly type: "rehearse" } & RehearsalOrder;

/** To the canary alone: the order that it rehearsed last is committed. It has the order already. */
export interface AdoptMessage {
  readonly type: "adopt";
}

/** The requests of one turn of the main thread, in order: one message wakes a thread once. */
export interface RequestsMessage {
  readonly type: "requests";
  readonly requests: readonly FlatRequest[];
}

/** A complete response in one message; travels as a `FlatResponse`. */
export interface ResponseMessage {
  readonly type: "response";
  readonly id: number;
  readonly head: ResponseHead;
  readonly body: ResponseBody | undefined;
  readonly over: boolean;
}

export type MainToVm =
  | CallMessage
  | RequestsMessage
  | ActivateMessage
  | RehearseMessage
  | AdoptMessage
  /** Replaces the table of locations for the requests that follow. */
  | { readonly type: "locations"; readonly locations: readonly LocationHandlers[] }
  /** Answer to `redirect`: the request goes on at this location, or 404 when there is none. */
  | {
      readonly type: "continue";
      readonly id: number;
      readonly uri: string;
      readonly args: string;
      readonly location: number | undefined;
      readonly captures: readonly string[];
    }
  /** The client is gone, or the time is up. */
  | { readonly type: "abort"; readonly id: number }
  /** Finish what is in flight, then end the task. */
  | { readonly type: "drain" };

/** What a VM did with an `activate`. */
export interface AppliedReport {
  readonly generation: number;
  readonly appliedMs: number;
  /** Names that were loaded and are now evicted. */
  readonly evicted: readonly string[];
  /** Modules loaded again because of `warm`, and those that failed to. */
  readonly warmed: number;
  readonly errors: readonly string[];
  /** Dispose functions that failed (`relua.hot`): logged by the VM, and the move went on. */
  readonly hotErrors: readonly string[];
  /** An adopt function failed: the VM must be replaced. */
  readonly unfit?: string;
}

export type VmToMain =
  | { readonly type: "ready"; readonly bootMs: number }
  /** The VM could not start: `initBy` or `initWorkerBy` failed. The task ends after it. */
  | { readonly type: "unfit"; readonly message: string }
  | ResponseMessage
  /** A response in pieces: head, any number of data, then finish. */
  | { readonly type: "head"; readonly id: number; readonly head: ResponseHead }
  | { readonly type: "data"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly type: "finish"; readonly id: number }
  /** The response broke off after its head was sent: the connection must be closed. */
  | { readonly type: "broken"; readonly id: number }
  | { readonly type: "redirect"; readonly id: number; readonly redirection: Redirection }
  | {
      readonly type: "result";
      readonly id: number;
      readonly values: readonly PlainValue[];
      readonly generation: number;
      readonly over?: boolean;
    }
  | {
      readonly type: "failed";
      readonly id: number;
      readonly message: string;
      readonly traceback: string;
      readonly generation: number;
      readonly over?: boolean;
    }
  /**
   * Everything of this request is over (after log_by): its slot is free. Ends every work message, save where the
   * answer was `over` already: a message of its own costs as much as the answer.
   */
  | { readonly type: "done"; readonly id: number }
  | { readonly type: "applied"; readonly report: AppliedReport }
  | ({ readonly type: "rehearsed" } & Rehearsed)
  /** What this VM loaded, dropped and required since its last report; batched. */
  | {
      readonly type: "observed";
      /** The generation this VM was on. */
      readonly generation: number;
      readonly loaded: readonly ModuleObservation[];
      readonly unloaded: readonly string[];
      readonly edges: readonly Edge[];
    }
  /** The VM asks to be replaced: an adopt function failed when its module was loaded again after the move. */
  | { readonly type: "recycle"; readonly message: string }
  | { readonly type: "log"; readonly level: LogLevel; readonly message: string }
  | { readonly type: "drained" };
