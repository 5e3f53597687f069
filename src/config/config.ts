/** The resolved configuration: what the parts of the agent are built from. */

import type { SearchPath } from "../core/search-path.ts";
import type { ListenAddress, ServerDocument } from "../core/servers.ts";
import type { WatchSettings } from "../core/watch-settings.ts";
import type { ConfigValues } from "./schema.ts";

/** Sections that need no resolving are as the schema leaves them: complete, sizes in bytes. */
type Plain = Pick<
  ConfigValues,
  | "luaCodeCache"
  | "threads"
  | "concurrency"
  | "sharedDicts"
  | "initBy"
  | "initWorkerBy"
  | "exposeGeneration"
  | "shutdownMs"
  | "reload"
  | "check"
  | "limits"
  | "targets"
>;

export interface Config extends Readonly<Plain> {
  /** The config file, absolute; undefined for a configuration from JavaScript. */
  readonly file: string | undefined;
  /** Where relative templates of the search path start, absolute. */
  readonly cwd: string;
  /** `$prefix`, absolute. */
  readonly prefix: string;
  readonly searchPath: SearchPath;
  readonly servers: readonly ServerDocument[];
  readonly control: {
    readonly listen: ListenAddress;
    readonly token: string | undefined;
    readonly allowedHosts: readonly string[];
  };
  /** False: manual triggering only. */
  readonly watch: false | WatchSettings;
  /** Which files count, watched or not: `watch.ignore` and `watch.maxFileBytes`, the defaults where `watch` is false. */
  readonly scan: { readonly ignore: readonly string[]; readonly maxFileBytes: number };
}
