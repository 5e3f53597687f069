/** The metrics that say what an agent's status says, each read off it at the scrape. */

import type { TargetState } from "../core/delivery.ts";
import type { AgentStatus, UnfinishedWhy, VmStatus, WatchStatus } from "../core/status.ts";
import { counter, flag, gauge, type Metric, oneOf, sample } from "./metric.ts";

/** Every value a label takes is known beforehand. */
const modes = Object.keys({
  events: 1,
  polling: 1,
  sweep: 1,
  manual: 1,
} satisfies Record<WatchStatus["mode"], 1>);
const vmStates = Object.keys({
  booting: 1,
  ready: 1,
  draining: 1,
  down: 1,
} satisfies Record<VmStatus["state"], 1>);
/** Statuses that a response can have begin with these. */
const classes = [1, 2, 3, 4, 5];
const unfinished = Object.keys({
  "pool-full": 1,
  "pool-closed": 1,
  "vm-died": 1,
} satisfies Record<UnfinishedWhy, 1>) as UnfinishedWhy[];
const targetStates = Object.keys({ new: 1, current: 1, behind: 1, down: 1 } satisfies Record<TargetState, 1>);

export const statusMetrics: readonly Metric<AgentStatus>[] = [
  gauge("relua_uptime_seconds", "Time since the start", ({ uptimeMs }) => uptimeMs / 1000),
  gauge("relua_generation", "The generation that runs", ({ generation }) => generation),
  flag("relua_pending", "An observed change has no outcome yet", ({ pending }) => pending),
  flag("relua_held", "Changes are held back", ({ held }) => held),
  flag("relua_rejected", "What is on disk does not load", ({ rejected }) => rejected !== undefined),
  flag("relua_disk_differs", "The disk is not what runs", ({ diskDiffers }) => diskDiffers),

  gauge("relua_watch_files", "Files that could be modules", ({ watch }) => watch.files),
  gauge("relua_watch_folders", "Folders that they are in", ({ watch }) => watch.folders),
  gauge("relua_watch_missing_roots", "Roots that do not exist", ({ watch }) => watch.missingRoots.length),
  gauge(
    "relua_watch_skipped_paths",
    "Paths that could be modules and cannot be read as such; 1,000 stands for more as well",
    ({ watch }) => watch.skipped.length,
  ),
  flag("relua_watch_live", "Changes are noticed without being asked for", ({ watch }) => watch.live),
  {
    name: "relua_watch_mode",
    help: "How the disk is watched; 1 for the mode it is in",
    type: "gauge",
    labels: ["mode"],
    read: ({ watch }) => oneOf("mode", modes, watch.mode),
  },
  gauge(
    "relua_watch_last_sweep_timestamp_seconds",
    "When the last comparison of the whole tree ended; 0 before the first",
    ({ watch }) => (watch.sweep.lastAt ?? 0) / 1000,
  ),
  gauge(
    "relua_watch_last_sweep_duration_seconds",
    "How long it took",
    ({ watch }) => watch.sweep.costMs / 1000,
  ),
  counter(
    "relua_watch_missed_total",
    "Differences on disk that no event had told of; where it grows, the watcher misses changes",
    ({ watch }) => watch.sweep.missed,
  ),
  gauge(
    "relua_watch_unread_files",
    "Files that a pass over the disk has still to look at, when it takes over a second",
    ({ watch: { reading } }) => (reading === undefined ? 0 : reading.filesTotal - reading.filesDone),
  ),

  gauge("relua_http_connections", "Open connections of clients", ({ traffic }) => traffic.connections),
  {
    name: "relua_http_responses_total",
    help: "Responses to clients by the first digit of their status",
    type: "counter",
    labels: ["class"],
    read: ({ traffic }) =>
      classes.map((digit) => ({ value: traffic.responses[digit] ?? 0, of: { class: `${digit}xx` } })),
  },
  gauge("relua_waiting_requests", "Requests and calls that wait for a VM", ({ traffic }) => traffic.waiting),
  {
    name: "relua_unfinished_requests_total",
    help: "Requests and calls that no VM has finished",
    type: "counter",
    labels: ["reason"],
    read: ({ traffic }) =>
      unfinished.map((reason) => ({ value: traffic.unfinished[reason] ?? 0, of: { reason } })),
  },

  {
    name: "relua_vms",
    help: "VMs by state",
    type: "gauge",
    labels: ["state"],
    read: ({ vms }) =>
      vmStates.map((state) => ({ value: vms.filter((vm) => vm.state === state).length, of: { state } })),
  },
  perVm("relua_vm_generation", "The generation that a VM is on", ({ generation }) => generation),
  perVm("relua_vm_in_flight_requests", "Requests that a VM has begun or has waiting", (vm) => vm.inFlight),
  {
    ...perVm(
      "relua_vm_dispatched_requests_total",
      "Requests and calls that were posted to a VM",
      (vm) => vm.dispatched,
    ),
    type: "counter",
  },
  perVm("relua_vm_modules", "Modules that a VM has loaded from files", ({ modules }) => modules),
  perVm(
    "relua_vm_heap_bytes",
    "JavaScript heap and external memory of a VM, as it last measured them",
    (vm) => vm.heap,
  ),
  {
    ...perVm("relua_vm_restarts_total", "How often a VM was replaced by a new one", (vm) => vm.restarts),
    type: "counter",
  },

  {
    name: "relua_target_state",
    help: "Where a host beside the agent stands; 1 for the state it is in",
    type: "gauge",
    labels: ["target", "state"],
    read: ({ targets }) =>
      targets.flatMap(({ name, state }) =>
        oneOf("state", targetStates, state).map(({ value, of }) => ({ value, of: { target: name, ...of } })),
      ),
  },
  perTarget(
    "relua_target_generation",
    "The last generation that a host took",
    ({ generation }) => generation,
  ),
  perTarget("relua_target_workers", "Workers of a host", ({ workers }) => workers.length),
  perTarget(
    "relua_target_workers_behind",
    "Workers of a host that are not on the generation that runs",
    ({ workers }, generation) => workers.filter((worker) => worker.generation !== generation).length,
  ),
];

/** VMs keep their numbers when they are replaced: there are never more series than VMs. */
function perVm(name: string, help: string, read: (vm: VmStatus) => number | undefined): Metric<AgentStatus> {
  return {
    name,
    help,
    type: "gauge",
    labels: ["vm"],
    read: ({ vms }) => vms.flatMap((vm) => sample(read(vm), { vm: String(vm.id) })),
  };
}

/** A host's workers come and go with numbers of their own: they are counted, and have no series. */
function perTarget(
  name: string,
  help: string,
  read: (target: AgentStatus["targets"][number], generation: number) => number | undefined,
): Metric<AgentStatus> {
  return {
    name,
    help,
    type: "gauge",
    labels: ["target"],
    read: ({ targets, generation }) =>
      targets.flatMap((target) => sample(read(target, generation), { target: target.name })),
  };
}
