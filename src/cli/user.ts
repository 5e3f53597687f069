/** Who runs this command, for others who wonder. */

import { hostname, userInfo } from "node:os";

/** `ann@build-1` */
export function userAtHost(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user often has a number only.
    return process.env.USER ?? `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
