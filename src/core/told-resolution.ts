/** Resolutions and reasons as they are told: plain data with files relative to the prefix, by an agent or without one. */

import type { Reason } from "./reason.ts";
import { relativeFile, relativeText } from "./relative-file.ts";
import type { Resolution } from "./resolution.ts";

export interface ToldFileName {
  name: string;
  shadowedBy?: string;
}

/** null where there is nothing, as JSON has it. */
export interface ToldResolution {
  /** null where a file was asked for. */
  name: string | null;
  file: string | null;
  realFile: string | null;
  probes: string[];
  shadowed: string[];
  names: ToldFileName[];
  /** Why it leads nowhere. */
  reason: Reason | null;
}

export function toldResolution(
  name: string | null,
  { path, file, probes, shadowed, names }: Resolution,
  reason: Reason | undefined,
  prefix: string,
): ToldResolution {
  const told = (each: string | undefined) => (each === undefined ? null : relativeFile(each, prefix));
  return {
    name,
    file: told(path),
    realFile: told(file),
    probes: probes.map((each) => relativeFile(each, prefix)),
    shadowed: shadowed.map((each) => relativeFile(each, prefix)),
    names: names.map((each) => toldFileName(each, prefix)),
    reason: reason === undefined ? null : toldReason(reason, prefix),
  };
}

export function toldReason({ code, text }: Reason, prefix: string): Reason {
  return { code, text: relativeText(text, prefix) };
}

export function toldFileName(
  { name, shadowedBy }: Resolution["names"][number],
  prefix: string,
): ToldFileName {
  return { name, ...(shadowedBy !== undefined && { shadowedBy: relativeFile(shadowedBy, prefix) }) };
}
