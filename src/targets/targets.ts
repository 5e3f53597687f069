/** The hosts beside us that a configuration names, each behind the same face. */

import type { HostTarget } from "../reload/target.ts";
import { type CommandSettings, CommandTarget } from "./command-target.ts";
import type { TargetContext } from "./context.ts";
import { type NginxSettings, NginxTarget } from "./nginx-target.ts";
import { type NjetSettings, NjetTarget } from "./njet-target.ts";

export type { KnownContent, TargetContext } from "./context.ts";

/** One entry of `targets` in watch.config.ts, parsed. */
export type TargetSettings =
  | ({ readonly type: "nginx" } & NginxSettings)
  | ({ readonly type: "njet" } & NjetSettings)
  | ({ readonly type: "command" } & CommandSettings);

/** Nothing is delivered before `start` of each. Equal names are told apart by a number behind them. */
export function createTargets(
  settings: readonly TargetSettings[],
  context: TargetContext,
): readonly HostTarget[] {
  const taken = new Set<string>();
  return settings.map((one) => createTarget(one, freeName(nameOf(one), taken), context));
}

function createTarget(settings: TargetSettings, name: string, context: TargetContext): HostTarget {
  switch (settings.type) {
    case "nginx":
      return new NginxTarget(name, settings, context);
    case "njet":
      return new NjetTarget(name, settings, context);
    case "command":
      return new CommandTarget(name, settings, context);
  }
}

function nameOf(settings: TargetSettings): string {
  if (settings.name !== undefined) return settings.name;
  return settings.type === "command" ? settings.run.join(" ").slice(0, 100) : settings.url;
}

function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name} (${number})`;
  taken.add(free);
  return free;
}
