/** The version in package.json. */

import { readFileSync } from "node:fs";

export function packageVersion(): string {
  // The sources and what is built from them are equally deep in the package.
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    readonly version: string;
  };
  return version;
}
