/** `defineConfig`: types for the config file, nothing else. */

import type { ConfigInput } from "./schema.ts";

/** Returns its argument; an editor then completes and checks the keys of watch.config.ts. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
