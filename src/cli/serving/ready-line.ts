/** The one line that says that everything runs. */

import type { AgentStatus } from "../../core/status.ts";
import { count, formatMs } from "../../observe/quantities.ts";
import { watchedText } from "../watched.ts";

export interface ReadyFacts {
  readonly version: string;
  readonly readyMs: number;
  readonly addresses: { readonly data: readonly string[]; readonly control?: string | undefined };
  readonly status: Pick<AgentStatus, "vms" | "watch" | "targets">;
}

/** `relua 0.1.0 ready in 412 ms: http://127.0.0.1:8080, control http://127.0.0.1:8081, 2 VMs, 12 files watched …` */
export function readyLine({ version, readyMs, addresses, status }: ReadyFacts): string {
  const hosting = status.vms.length > 0;
  const data = addresses.data.length === 0 ? "no servers" : addresses.data.map(asUrl).join(", ");
  const targets = status.targets.map(({ name }) => name);
  const facts = [
    ...(hosting ? [data] : []),
    ...(addresses.control === undefined ? [] : [`control ${asUrl(addresses.control)}`]),
    ...(hosting ? [count(status.vms.length, "VM")] : []),
    ...(targets.length === 0 ? [] : [`beside ${targets.join(", ")}`]),
    watchedText(status.watch),
  ];
  return `relua ${version} ready in ${formatMs(readyMs)}: ${facts.join(", ")}`;
}

function asUrl(address: string): string {
  return /^https?:/.test(address) ? address : `http://${address}`;
}
