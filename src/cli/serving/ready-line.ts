/** The one line that says that everything runs. */

import type { AgentStatus } from "../../core/status.ts";
import { count, formatMs } from "../../observe/quantities.ts";
import { watchedText } from "../watched.ts";

export interface ReadyFacts {
  readonly version: string;
  readonly readyMs: number;
  readonly addresses: { readonly data: readonly string[]; readonly control?: string | undefined };
  readonly status: Pick<AgentStatus, "vms" | "watch">;
}

/** `relua 0.1.0 ready in 412 ms: http://127.0.0.1:8080, control http://127.0.0.1:8081, 2 VMs, 12 files watched …` */
export function readyLine({ version, readyMs, addresses, status }: ReadyFacts): string {
  const data = addresses.data.length === 0 ? "no servers" : addresses.data.map(asUrl).join(", ");
  const facts = [
    data,
    ...(addresses.control === undefined ? [] : [`control ${asUrl(addresses.control)}`]),
    count(status.vms.length, "VM"),
    watchedText(status.watch),
  ];
  return `relua ${version} ready in ${formatMs(readyMs)}: ${facts.join(", ")}`;
}

function asUrl(address: string): string {
  return /^https?:/.test(address) ? address : `http://${address}`;
}
