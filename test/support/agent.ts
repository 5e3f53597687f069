/** An agent in this process over a temporary tree, with a data plane on a free port. */

import { afterEach } from "vitest";
import { Agent, type AgentOptions } from "../../src/agent.ts";
import { type ConfigInput, parseConfig } from "../../src/config/index.ts";
import type { LocationLua } from "../../src/core/servers.ts";
import { createTree, type Tree } from "./tree.ts";

/** A tree and the agent that serves it. */
export interface Site {
  readonly tree: Tree;
  readonly agent: Agent;
  /** `http://127.0.0.1:PORT` of the data plane. */
  readonly url: string;
  /** `level: message`, or `level (VM 1): message` of a VM; the canary is VM 0. */
  readonly logged: string[];
}

export interface SiteOptions {
  /** Lua files by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Path → `content_by`, or everything of `lua`. */
  readonly locations?: Readonly<Record<string, string | LocationLua>>;
  readonly config?: ConfigInput;
  readonly substitutes?: AgentOptions;
  /** What the tree has beside the files. */
  readonly prepare?: ((tree: Tree) => void) | undefined;
}

const sites = new Set<Site>();

afterEach(async () => {
  await Promise.all([...sites].map(closeSite));
});

/**
 * Starts an agent with the watcher off and two VMs unless the config says otherwise, as if from within its tree; closed
 * after the test.
 */
export async function startSite({
  files,
  locations = {},
  config,
  substitutes,
  prepare,
}: SiteOptions): Promise<Site> {
  const tree = createTree(files);
  prepare?.(tree);
  const served = Object.entries(locations).map(([location, code]) => ({
    location,
    lua: typeof code === "string" ? { content_by: code } : code,
  }));
  const agent = new Agent(
    parseConfig(
      {
        prefix: tree.root,
        luaPackagePath: "$prefix/?.lua;$prefix/?/init.lua",
        threads: 2,
        watch: false,
        servers: [{ listens: ["127.0.0.1:0"], serverNames: [""], locations: served }],
        control: { listen: "127.0.0.1:0" },
        ...config,
      },
      { cwd: tree.root },
    ),
    substitutes,
  );
  const logged: string[] = [];
  agent.on("log", (level, message, vm) =>
    logged.push(`${level}${vm === undefined ? "" : ` (VM ${vm})`}: ${message}`),
  );
  try {
    await agent.start();
  } catch (error) {
    tree.remove();
    throw error;
  }
  const site = { tree, agent, url: `http://${agent.addresses.data[0]}`, logged };
  sites.add(site);
  return site;
}

/** Ends a site before the test does. */
export async function closeSite(site: Site): Promise<void> {
  if (!sites.delete(site)) return;
  await site.agent.close();
  site.tree.remove();
}
