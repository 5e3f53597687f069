/** From what a config file exports to a Config, or to all that is wrong with it at once. */

import { basename, dirname, resolve } from "node:path";
import { unknownKeyHint } from "../core/closed-object.ts";
import { parseSearchPath } from "../core/search-path.ts";
import { parseListen } from "../core/servers.ts";
import { ReluaError } from "../errors.ts";
import type { Config } from "./config.ts";
import { controlProblems, searchPathProblems, timingProblems } from "./cross-checks.ts";
import { describeIssues, formatPath } from "./problems.ts";
import { type ConfigValues, configShape, watchSchema } from "./schema.ts";
import { serverProblems } from "./server-checks.ts";

/** Where a configuration comes from. */
export interface Origin {
  /** The config file, absolute; left out for an object from JavaScript. */
  readonly file?: string;
  /** Default: the process's working folder. Absolute. */
  readonly cwd?: string;
}

/**
 * Checks a configuration and fills in defaults; `{}` is a valid one.
 * @throws ReluaError `config-invalid` with one line of `details` for each problem.
 */
export function parseConfig(input: unknown, origin: Origin = {}): Config {
  const title = origin.file === undefined ? "config" : basename(origin.file);
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw refuse(title, ["the configuration is not an object; export default { … }"]);
  }
  const { values, problems } = readKeys(input as Readonly<Record<string, unknown>>);
  const cwd = resolve(origin.cwd ?? process.cwd());
  const prefix = resolve(origin.file === undefined ? cwd : dirname(origin.file), values.prefix ?? ".");
  problems.push(
    ...searchPathProblems(values.luaPackagePath, { prefix, cwd }),
    ...controlProblems(values.control),
    ...timingProblems(values),
    ...serverProblems((input as { servers?: unknown }).servers, prefix, values.control),
  );
  if (problems.length > 0) throw refuse(title, problems);
  return settle(values as ConfigValues, { file: origin.file, cwd, prefix });
}

/** Parses each key on its own, so that cross-checks can still look at those that are right. */
function readKeys(input: Readonly<Record<string, unknown>>): {
  readonly values: Partial<ConfigValues>;
  readonly problems: string[];
} {
  const known = Object.keys(configShape);
  const problems = Object.keys(input)
    .filter((key) => !known.includes(key))
    .map((key) => `${formatPath([key])} is not known; ${unknownKeyHint(key, known)}`);
  const values: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(configShape)) {
    const result = schema.safeParse(input[key]);
    if (result.success) values[key] = result.data;
    else problems.push(...describeIssues(result.error.issues, input[key], [key]));
  }
  return { values: values as Partial<ConfigValues>, problems };
}

function settle(values: ConfigValues, place: Pick<Config, "file" | "cwd" | "prefix">): Config {
  const { control, luaPackagePath, prefix: _, watch, ...plain } = values;
  const { ignore, maxFileBytes, ...timing } = watch === false ? watchSchema.parse({}) : watch;
  return {
    ...plain,
    ...place,
    searchPath: parseSearchPath(luaPackagePath, place),
    control: {
      listen: parseListen(control.listen),
      token: control.token === "" ? undefined : control.token,
      allowedHosts: control.allowedHosts,
    },
    watch: watch === false ? false : timing,
    scan: { ignore, maxFileBytes },
  };
}

function refuse(title: string, problems: readonly string[]): ReluaError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new ReluaError(
    "config-invalid",
    `${title}: ${count}`,
    problems.map((problem) => `${title}: ${problem}`),
  );
}
