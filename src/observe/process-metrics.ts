/** The process in figures, under the names that Prometheus' client libraries share; nothing is measured between scrapes. */

import { readdirSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { counter, gauge, type Metric, sample } from "./metric.ts";

const microsecondsPerSecond = 1e6;

/** All threads together, where nothing else is said. */
export const processMetrics: readonly Metric<unknown>[] = [
  counter("process_cpu_seconds_total", "Processor time of all threads", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / microsecondsPerSecond;
  }),
  gauge("process_start_time_seconds", "When the process started", () => performance.timeOrigin / 1000),
  gauge("process_resident_memory_bytes", "Memory in use", () => process.memoryUsage.rss()),
  {
    name: "process_open_fds",
    help: "Open file descriptors; only where there is /proc",
    type: "gauge",
    read: () => sample(openDescriptors()),
  },
  gauge(
    "nodejs_heap_size_used_bytes",
    "JavaScript heap of the main thread",
    () => process.memoryUsage().heapUsed,
  ),
  counter(
    "nodejs_main_thread_busy_seconds_total",
    "How long the main thread has not waited for events",
    () => performance.eventLoopUtilization().active / 1000,
  ),
];

function openDescriptors(): number | undefined {
  try {
    // One of them is the folder itself.
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return undefined;
  }
}
