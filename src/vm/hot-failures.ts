/** What goes wrong in a VM's `relua.hot` functions: logged, told with the move they belong to, and the VM replaced. */

import type { HotFailure } from "../lua/hot.ts";
import type { Allowance, HotHooks } from "../lua/vm.ts";
import type { AppliedReport, VmToMain } from "./protocol.ts";

/** The part of a report that a move adds to. */
type MoveFailures = Pick<AppliedReport, "hotErrors" | "unfit">;

export class HotFailures implements HotHooks {
  readonly allowance: Allowance;
  readonly #post: (message: VmToMain) => void;
  #disposed: string[] | undefined;
  #unfit: string | undefined;
  #asked = false;

  constructor(allowance: Allowance, post: (message: VmToMain) => void) {
    this.allowance = allowance;
    this.#post = post;
  }

  /** Collects until `endMove`. */
  beginMove(): void {
    this.#disposed = [];
  }

  endMove(): MoveFailures {
    const hotErrors = this.#disposed ?? [];
    this.#disposed = undefined;
    if (this.#unfit === undefined || this.#asked) return { hotErrors };
    this.#asked = true;
    return { hotErrors, unfit: this.#unfit };
  }

  disposeFailed(name: string, failure: HotFailure): void {
    this.#log(`hot.dispose of module '${name}' failed: ${failure.traceback}`);
    this.#disposed?.push(`${name}: ${failure.message}`);
  }

  adoptFailed(name: string, failure: HotFailure): void {
    this.#log(`hot.adopt of module '${name}' failed: ${failure.traceback}`);
    this.#unfit ??= `hot.adopt of module '${name}' failed: ${failure.message}`;
    if (this.#disposed || this.#asked) return;
    this.#asked = true;
    this.#post({ type: "recycle", message: this.#unfit });
  }

  #log(message: string): void {
    this.#post({ type: "log", level: "error", message });
  }
}
