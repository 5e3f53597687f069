/** `relua status` as text. */

import { formatHolder } from "../observe/holder.ts";
import { count, formatMegabytes, formatSpan } from "../observe/quantities.ts";
import { formatReport } from "../observe/report.ts";
import type { Style } from "../observe/style.ts";
import type { ToldStatus } from "./answers.ts";
import { inColumns } from "./table.ts";
import { targetLines } from "./target-lines.ts";
import { watchLines } from "./watched.ts";

export function formatStatus(status: ToldStatus, style: Style): string {
  const { generation, targets, watch, rejected } = status;
  return [
    headline(status),
    ...differenceLines(status).map(style.attention),
    ...holdLines(status, style).map(style.attention),
    ...vmRows(status).map((row) => `  ${row}`),
    ...waitingLines(status).map(style.attention),
    ...targetLines(targets, generation, style),
    ...watchLines(watch, style),
    ...(rejected !== undefined
      ? [style.bad("what is on disk does not load:"), formatReport(rejected, style)]
      : []),
  ].join("\n");
}

function headline({ generation, pending, uptimeMs }: ToldStatus): string {
  const facts = [
    `generation ${generation}`,
    ...(pending ? ["a change is on its way"] : []),
    ...(uptimeMs === undefined ? [] : [`up ${formatSpan(uptimeMs)}`]),
  ];
  return facts.join(", ");
}

/** Why what is on disk does not run, as far as that is known. */
function differenceLines({ diskDiffers, rolledBackTo, rejected, held }: ToldStatus): readonly string[] {
  if (!diskDiffers) return [];
  const reasons = [
    ...(rolledBackTo === undefined ? [] : [`rollback to generation ${rolledBackTo}`]),
    ...(rejected === undefined ? [] : ["rejected"]),
    ...(held ? ["held"] : []),
  ];
  const why = reasons.length === 0 ? "" : ` (${reasons.join(", ")})`;
  return [`the disk differs from what runs${why}`];
}

function holdLines({ held, hold }: ToldStatus, style: Style): readonly string[] {
  if (hold === undefined) return held ? ["changes are held"] : [];
  const since = style.clock(hold.since);
  return [
    `changes are held by ${formatHolder(hold)}, since ${since}, for another ${formatSpan(hold.endsInMs)}`,
  ];
}

function waitingLines({ waiting }: ToldStatus): readonly string[] {
  return waiting === 0 ? [] : [`  ${count(waiting, "request")} waiting: every VM has all it takes`];
}

/** One row per VM, in columns. */
function vmRows({ vms }: ToldStatus): readonly string[] {
  const rows = vms.map((vm) => [
    `VM ${vm.id}`,
    vm.state,
    `generation ${vm.generation}`,
    `${vm.inFlight} in flight`,
    count(vm.modules, "module"),
    vm.heap === undefined ? "" : formatMegabytes(vm.heap),
    vm.restarts === 0 ? "" : count(vm.restarts, "restart"),
  ]);
  return inColumns(rows);
}
