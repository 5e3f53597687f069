/** Metrics: the text that Prometheus reads, and what the agent's status and outcomes become in it. */

import { closeSync, openSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import type { AgentStatus, VmStatus } from "../../src/core/status.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { FakeAgent, outcome, status } from "../http/control/fake-agent.ts";
import { readExposition, valueAt } from "../support/exposition.ts";

async function scrape(metrics: Metrics) {
  const families = readExposition(await metrics.text());
  return (series: string) => valueAt(families, series);
}

async function scrapeOf(changes: Partial<AgentStatus>) {
  const agent = new FakeAgent();
  agent.currentStatus = { ...status, ...changes };
  return scrape(new Metrics(agent, "1.2.3"));
}

const [vm] = status.vms as [VmStatus];

const target = {
  name: "nginx",
  type: "nginx",
  state: "behind",
  generation: 6,
  acknowledges: true,
  error: undefined,
} as const;

const worker = (id: number, generation: number | undefined) => ({
  id,
  worker: String(id),
  pid: 1,
  generation,
  modules: 1,
  errors: [],
});

describe("the text", () => {
  it("is what Prometheus reads, with the content type that says so", async () => {
    const agent = new FakeAgent();
    const metrics = new Metrics(agent, "1.2.3");
    agent.emit("outcome", outcome());
    const families = readExposition(await metrics.text());
    expect([...families.keys()].every((name) => /^(relua|process|nodejs)_[a-z_]+$/.test(name))).toBe(true);
    expect([...families.keys()].filter((name) => /_(ms|mb|milliseconds)\b/.test(name))).toEqual([]);
    expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(valueAt(families, 'relua_build_info{version="1.2.3"}')).toBe(1);
  });

  it("keeps the names of targets apart from its syntax", async () => {
    const name = 'a "quoted"\\ name\nin two lines';
    const value = await scrapeOf({ targets: [{ ...target, name, workers: [] }] });
    expect(value('relua_target_generation{target="a \\"quoted\\"\\\\ name\\nin two lines"}')).toBe(6);
  });

  // The control: the reader sees what is wrong.
  it.each([
    ["# TYPE a gauge\na 1\n", "no HELP before it"],
    ["# HELP a b\na 1\n", "not below its TYPE"],
    ["# HELP a b\n# TYPE a gauge\na 1\na 2\n", "a second sample"],
    ['# HELP a b\n# TYPE a gauge\na{x="1",y="2"} 1\na{y="2",x="1"} 2\n', "a second sample"],
    ['# HELP a b\n# TYPE a gauge\na{x="1"y} 1\n', "no labels"],
    ['# HELP a b\n# TYPE a gauge\na{x="1} 1\n', "no labels"],
    ["# HELP a b\n# TYPE a gauge\na one\n", "no sample"],
    ["# HELP a b\n# TYPE a counter\na 1\n", "a counter without _total"],
    ["# HELP a b\n# TYPE a gauge\na 1", "does not end"],
    [
      '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
      "a bucket falls",
    ],
  ])("is read strictly: %j", (text, why) => {
    expect(() => readExposition(text)).toThrow(why);
  });
});

describe("the status", () => {
  it("is that of the scrape", async () => {
    const agent = new FakeAgent();
    const metrics = new Metrics(agent, "1");
    expect((await scrape(metrics))("relua_generation")).toBe(7);
    agent.currentStatus = { ...status, generation: 8, vms: [] };
    const value = await scrape(metrics);
    expect(value("relua_generation")).toBe(8);
    expect(value('relua_vm_generation{vm="1"}')).toBeUndefined();
  });

  it("is not added up over scrapes", async () => {
    const metrics = new Metrics(new FakeAgent(), "1");
    for (const _ of [1, 2]) expect((await scrape(metrics))("relua_watch_missed_total")).toBe(2);
  });

  it("is asked for once at a scrape, and not between", async () => {
    const agent = new FakeAgent();
    const metrics = new Metrics(agent, "1");
    let asked = 0;
    agent.status = () => {
      asked += 1;
      return status;
    };
    agent.emit("outcome", outcome());
    expect(asked).toBe(0);
    await metrics.text();
    expect(asked).toBe(1);
  });

  it("becomes flags, seconds and counts", async () => {
    const value = await scrapeOf({
      pending: true,
      held: true,
      diskDiffers: true,
      rejected: outcome({ outcome: "rejected" }),
    });
    for (const name of ["pending", "held", "disk_differs", "rejected", "watch_live"])
      expect(value(`relua_${name}`)).toBe(1);
    expect(value("relua_uptime_seconds")).toBeCloseTo(1.23456);
    expect(value("relua_watch_files")).toBe(4);
    expect(value("relua_watch_folders")).toBe(2);
    expect(value("relua_watch_missing_roots")).toBe(1);
    expect(value("relua_watch_missed_total")).toBe(2);
    expect(value("relua_watch_last_sweep_timestamp_seconds")).toBe(Date.UTC(2026, 0, 2) / 1000);
    expect(value("relua_watch_last_sweep_duration_seconds")).toBeCloseTo(0.00704);
  });

  it("says what is, and what is not", async () => {
    const value = await scrapeOf({ watch: { ...status.watch, mode: "sweep", live: false } });
    for (const name of ["pending", "held", "disk_differs", "rejected", "watch_live"])
      expect(value(`relua_${name}`)).toBe(0);
    expect(value('relua_watch_mode{mode="sweep"}')).toBe(1);
    expect(value('relua_watch_mode{mode="events"}')).toBe(0);
  });

  it("tells of each VM by its number", async () => {
    const value = await scrapeOf({
      vms: [
        { ...vm, id: 1, heap: 1_000 },
        { ...vm, id: 2, state: "down", restarts: 3 },
      ],
    });
    expect(value('relua_vms{state="ready"}')).toBe(1);
    expect(value('relua_vms{state="down"}')).toBe(1);
    expect(value('relua_vms{state="booting"}')).toBe(0);
    expect(value('relua_vm_in_flight_requests{vm="1"}')).toBe(2);
    expect(value('relua_vm_modules{vm="1"}')).toBe(3);
    expect(value('relua_vm_heap_bytes{vm="1"}')).toBe(1_000);
    expect(value('relua_vm_restarts_total{vm="2"}')).toBe(3);
    // Not measured yet, which is not 0.
    expect(value('relua_vm_heap_bytes{vm="2"}')).toBeUndefined();
  });

  it("tells of what clients ask, and of what the VMs do not get to", async () => {
    const traffic = {
      connections: 5,
      responses: [0, 0, 40, 3, 2, 1],
      waiting: 6,
      unfinished: { "vm-died": 7 },
    };
    const value = await scrapeOf({ traffic });
    expect(value("relua_http_connections")).toBe(5);
    expect(value('relua_http_responses_total{class="2xx"}')).toBe(40);
    expect(value('relua_http_responses_total{class="5xx"}')).toBe(1);
    expect(value("relua_waiting_requests")).toBe(6);
    expect(value('relua_unfinished_requests_total{reason="vm-died"}')).toBe(7);
    // A series that begins with 1 has no increase.
    expect(value('relua_unfinished_requests_total{reason="pool-full"}')).toBe(0);
    expect(value('relua_vm_dispatched_requests_total{vm="1"}')).toBe(12);
  });

  it("tells what a long pass has still to read", async () => {
    const reading = { filesDone: 40_000, filesTotal: 100_000 };
    const value = await scrapeOf({ watch: { ...status.watch, reading } });
    expect(value("relua_watch_unread_files")).toBe(60_000);
    expect((await scrapeOf({}))("relua_watch_unread_files")).toBe(0);
  });

  it("tells of each host, and counts its workers", async () => {
    const workers = [worker(3, 7), worker(4, 6), worker(5, undefined)];
    const value = await scrapeOf({ targets: [{ ...target, workers }] });
    expect(value('relua_target_state{state="behind",target="nginx"}')).toBe(1);
    expect(value('relua_target_state{state="current",target="nginx"}')).toBe(0);
    expect(value('relua_target_generation{target="nginx"}')).toBe(6);
    expect(value('relua_target_workers{target="nginx"}')).toBe(3);
    expect(value('relua_target_workers_behind{target="nginx"}')).toBe(2);
  });
});

it("the process is there under the names that dashboards know", async () => {
  const before = process.cpuUsage();
  const value = await scrapeOf({});
  const { user, system } = process.cpuUsage();
  expect(value("process_cpu_seconds_total")).toBeGreaterThanOrEqual((before.user + before.system) / 1e6);
  expect(value("process_cpu_seconds_total")).toBeLessThanOrEqual((user + system) / 1e6);
  expect(value("process_start_time_seconds")! * 1000).toBeCloseTo(performance.timeOrigin, -1);
  expect(value("process_resident_memory_bytes")).toBeGreaterThan(value("nodejs_heap_size_used_bytes")!);
  expect(value("nodejs_main_thread_busy_seconds_total")).toBeGreaterThan(0);
  expect(value("relua_source_bytes")).toBe(4096);
});

it.runIf(process.platform === "linux")("open files are counted as they are", async () => {
  const file = openSync(import.meta.filename, "r");
  const open = (await scrapeOf({}))("process_open_fds")!;
  closeSync(file);
  expect((await scrapeOf({}))("process_open_fds")).toBe(open - 1);
});

describe("reloads", () => {
  it("are counted by what came of them and what set them off, from 0 on", async () => {
    const agent = new FakeAgent();
    const metrics = new Metrics(agent, "1");
    const rejected = 'relua_reloads_total{outcome="rejected",trigger="watch"}';
    expect((await scrape(metrics))(rejected)).toBe(0);
    for (const _ of [1, 2]) agent.emit("outcome", outcome({ outcome: "rejected", trigger: "watch" }));
    expect((await scrape(metrics))(rejected)).toBe(2);
  });

  it("evict when they are committed", async () => {
    const agent = new FakeAgent();
    const metrics = new Metrics(agent, "1");
    for (const kind of ["committed", "recycle-required", "rejected", "planned"] as const)
      agent.emit("outcome", outcome({ outcome: kind }));
    expect((await scrape(metrics))("relua_evicted_modules_total")).toBe(2);
  });

  it("take time where they look at the disk, in the stages that they come to", async () => {
    const agent = new FakeAgent();
    const metrics = new Metrics(agent, "1");
    agent.emit("outcome", outcome());
    const unchanged = { scanMs: 1, planMs: 0, canaryMs: 0, commitMs: 0 };
    agent.emit("outcome", outcome({ outcome: "unchanged", durationMs: 1, stages: unchanged }));
    agent.emit("outcome", outcome({ outcome: "held", durationMs: 9 }));
    agent.emit("outcome", outcome({ outcome: "planned", durationMs: 9 }));
    const value = await scrape(metrics);
    expect(value("relua_reload_duration_seconds_count")).toBe(2);
    expect(value("relua_reload_duration_seconds_sum")).toBeCloseTo(0.0152345);
    expect(value('relua_reload_stage_duration_seconds_count{stage="scan"}')).toBe(2);
    expect(value('relua_reload_stage_duration_seconds_count{stage="canary"}')).toBe(1);
    expect(value('relua_reload_stage_duration_seconds_sum{stage="canary"}')).toBeCloseTo(0.01);
  });

  it("of one agent are not those of another", async () => {
    const [one, other] = [new FakeAgent(), new FakeAgent()];
    const metrics = [new Metrics(one, "1"), new Metrics(other, "1")];
    one.emit("outcome", outcome());
    const counts = await Promise.all(
      metrics.map(async (each) => (await scrape(each))("relua_reload_duration_seconds_count")),
    );
    expect(counts).toEqual([1, 0]);
  });
});
