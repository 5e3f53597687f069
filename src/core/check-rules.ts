/** The rules of `relua check`: their names, which never change, and what each is about. */

/** An error is certain to fail, a warning is likely to. */
export type Severity = "error" | "warning";

interface Rule {
  /** What it takes to be found, unless the finding says otherwise. */
  readonly severity: Severity;
  /** A sentence for lists of rules. */
  readonly about: string;
}

/** By name. Suppressions, configs and SARIF name them so. */
export const rules = {
  "syntax-error": {
    severity: "error",
    about: "The file is no Lua: neither Lua 5.1 to 5.3 nor LuaJIT takes it.",
  },
  "unresolved-require": {
    severity: "error",
    about: "A required module is neither on the search path nor known to come from the host.",
  },
  alias: {
    severity: "warning",
    about: "One file is required under two names, so that a VM has two instances with two states.",
  },
  "require-cycle": {
    severity: "error",
    about: "Modules require each other while they load, which Lua refuses.",
  },
  "shadowed-file": {
    severity: "warning",
    about: "No name reaches the file: an earlier template of the search path answers first.",
  },
  "global-write": {
    severity: "warning",
    about: "A global is written, which all modules and requests of a VM share.",
  },
  "global-read": { severity: "warning", about: "A global is read that nothing declares." },
  "cannot-unload": {
    severity: "warning",
    about: "The module leaves something in the VM that no reload takes away: FFI declarations or C code.",
  },
  "module-seeall": {
    severity: "warning",
    about: "module(..., package.seeall) makes the module a global and all globals its fields.",
  },
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleId = keyof typeof rules;

/** In the order in which they are listed. */
export const ruleIds = Object.keys(rules) as readonly RuleId[];
