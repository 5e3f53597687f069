/** What a reload needs of the VMs: a canary that loads first, and a fleet that moves at once. */

import type { LoadError, VmApplied } from "../core/outcome.ts";
import type { ManifestParcel } from "./manifest-store.ts";

/** The next generation, as it goes to the canary. */
export interface RehearsalOrder {
  readonly generation: number;
  readonly manifest: ManifestParcel;
  /** Paths whose content must compile. */
  readonly compile: readonly string[];
  /** Dependents first. */
  readonly evict: readonly string[];
  readonly roots: readonly string[];
  /** Names that must load, dependencies first; undefined when compiling is enough. */
  readonly load: readonly string[] | undefined;
  /** Rehearse in a VM that starts on this generation: pinned modules changed. */
  readonly fresh: boolean;
}

export type Bytecode = ReadonlyMap<string, Uint8Array>;

/** The next generation, as it goes to every VM. */
export interface ActivationOrder extends Omit<RehearsalOrder, "compile" | "load" | "fresh"> {
  /** What a warm VM loads again of what it evicted, dependencies first. */
  readonly load: readonly string[];
  readonly bytecode: Bytecode;
}

/** A VM that serves nobody. */
export interface Canary {
  /** Loads the order aside; never rejects: what goes wrong is among the errors. */
  rehearse(
    order: RehearsalOrder,
  ): Promise<{ readonly errors: readonly LoadError[]; readonly bytecode: Bytecode }>;
  /** The order was committed. */
  adopt(order: ActivationOrder): void;
}

/** Where generations are delivered to. */
export interface Target {
  /** The commit: in one turn, before it returns, everything that runs later runs on this generation (Invariant 2). */
  commit(order: ActivationOrder): void;
  /** Replaces every VM, one after another, losing no request; resolves when the new ones serve. */
  recycle(): Promise<void>;
  /** What the VMs report of a generation: resolves when all have, or after `withinMs` with those that did. */
  applied(generation: number, withinMs: number): Promise<readonly VmApplied[]>;
}
