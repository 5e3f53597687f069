/** The configuration: `watch.config.ts` to a checked and resolved Config. */

export type { Config } from "./config.ts";
export { defineConfig } from "./define.ts";
export { configFileName, loadConfig } from "./load.ts";
export { type Origin, parseConfig } from "./parse.ts";
export type { ConfigInput } from "./schema.ts";
export { configTemplate } from "./template.ts";
