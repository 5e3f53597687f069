/** An agent in this process over a temporary tree, with a data plane on a free port. */

import { afterEach } from "vitest";
import { Agent, type AgentSubstitutes } from "../../src/agent.ts";
import { type ConfigInput, parseConfig } from "../../src/config/index.ts";
import { createTree, type Tree } from "./tree.ts";

/** A tree and the agent that serves it. */
export interface Site {
  readonly tree: Tree;
  readonly agent: Agent;
  /** `http://127.0.0.1:PORT` of the data plane. */
  readonly url: string;
}

export interface SiteOptions {
  /** Lua files by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Path → `content_by`. */
  readonly locations?: Readonly<Record<string, string>>;
  readonly config?: ConfigInput;
  readonly substitutes?: AgentSubstitutes;
}

const sites = new Set<Site>();

afterEach(async () => {
  await Promise.all([...sites].map(closeSite));
});

/** Starts an agent with the watcher off and two VMs unless the config says otherwise; closed after the test. */
export async function startSite({ files, locations = {}, config, substitutes }: SiteOptions): Promise<Site> {
  const tree = createTree(files);
  const served = Object.entries(locations).map(([location, code]) => ({
    location,
    lua: { content_by: code },
  }));
  const agent = new Agent(
    parseConfig({
      prefix: tree.root,
      luaPackagePath: "$prefix/?.lua;$prefix/?/init.lua",
      threads: 2,
      watch: false,
      servers: [{ listens: ["127.0.0.1:0"], serverNames: [""], locations: served }],
      control: { listen: "127.0.0.1:0" },
      ...config,
    }),
    substitutes,
  );
  await agent.start();
  const site = { tree, agent, url: `http://${agent.addresses.data[0]}` };
  sites.add(site);
  return site;
}

/** Ends a site before the test does. */
export async function closeSite(site: Site): Promise<void> {
  if (!sites.delete(site)) return;
  await site.agent.close();
  site.tree.remove();
}
