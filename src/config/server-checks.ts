/** Checks over all servers: who listens where, and whether files stay inside the prefix. */

import { posix, sep } from "node:path";
import { phases } from "../core/exchange.ts";
import {
  configServerSchema,
  formatListen,
  type LocationDocument,
  luaKeys,
  parseListen,
  type ServerDocument,
} from "../core/servers.ts";
import { formatPath } from "./problems.ts";
import type { ConfigValues } from "./schema.ts";

type Path = readonly PropertyKey[];

/** Problems among those servers that are right by themselves, whatever is wrong with the others. */
export function serverProblems(
  input: unknown,
  prefix: string,
  control: ConfigValues["control"] | undefined,
): readonly string[] {
  if (!Array.isArray(input)) return [];
  const servers = input.flatMap((candidate: unknown, index) => {
    const result = configServerSchema.safeParse(candidate);
    return result.success ? [{ server: result.data as ServerDocument, at: ["servers", index] }] : [];
  });
  return [
    ...listenProblems(servers, control),
    ...servers.flatMap(({ server, at }) => locationProblems(server.locations, [...at, "locations"], prefix)),
  ];
}

/** A request must find one server, so no two may have an address and a name in common. */
function listenProblems(
  servers: readonly { readonly server: ServerDocument; readonly at: Path }[],
  control: ConfigValues["control"] | undefined,
): readonly string[] {
  const problems: string[] = [];
  const taken = new Map<string, string>();
  for (const { server, at } of servers) {
    for (const [index, text] of server.listens.entries()) {
      const address = parseListen(text);
      const place = formatPath([...at, "listens", index]);
      if (address.port !== 0 && formatListen(address) === controlAddress(control)) {
        problems.push(
          `${place} is ${JSON.stringify(text)}, the address of control.listen; it takes another one`,
        );
      }
      // Port 0 becomes a port of its own each time.
      if (address.port === 0) continue;
      for (const name of server.serverNames) {
        const key = `${formatListen(address)},${name.toLowerCase()}`;
        const other = taken.get(key);
        if (other === undefined) taken.set(key, place);
        else
          problems.push(
            `${place} is ${JSON.stringify(text)} with the name ${JSON.stringify(name)}, like ${other}; one server takes them`,
          );
      }
    }
  }
  return problems;
}

function controlAddress(control: ConfigValues["control"] | undefined): string | undefined {
  try {
    return control === undefined ? undefined : formatListen(parseListen(control.listen));
  } catch {
    return undefined;
  }
}

function locationProblems(
  locations: readonly LocationDocument[],
  at: Path,
  prefix: string,
): readonly string[] {
  const seen = new Map<string, string>();
  return locations.flatMap((location, index) => {
    const here = [...at, index];
    const problems = fileProblems(location, here, prefix);
    const pattern = location.location.replaceAll(/\s+/g, " ").trim();
    const other = seen.get(pattern);
    if (other === undefined) seen.set(pattern, formatPath(here));
    else
      problems.push(
        `${formatPath([...here, "location"])} is ${JSON.stringify(location.location)}, like ${other}; write one`,
      );
    return [...problems, ...locationProblems(location.locations ?? [], [...here, "locations"], prefix)];
  });
}

function fileProblems(location: LocationDocument, at: Path, prefix: string): string[] {
  return phases.flatMap((phase) => {
    const key = luaKeys(phase).file;
    const path = location.lua?.[key];
    if (path === undefined || !escapes(path, prefix)) return [];
    return [
      `${formatPath([...at, "lua", key])} is ${JSON.stringify(path)}; it takes a path inside the prefix ${prefix}`,
    ];
  });
}

/**
 * A relative path must not climb out of the prefix, and one with variables must start inside it: what the request
 * puts into them is checked again when it is known. An absolute path without variables is the operator's word.
 */
function escapes(path: string, prefix: string): boolean {
  const varies = path.includes("$");
  if (posix.isAbsolute(path) && !varies) return false;
  // A variable counts as one segment, as harmless as it can be.
  const resolved = posix.resolve(prefix, path.replaceAll(/\$(?:\{\w*\}|\w+)/g, "x"));
  return !resolved.startsWith(prefix.endsWith(sep) ? prefix : `${prefix}/`);
}
