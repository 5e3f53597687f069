/** `GET /metrics` of a running agent: after commits, a rejection, and a change that no event told of. */

import { linkSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { elsewhere, Place } from "../support/arrival.ts";
import { readExposition, valueAt } from "../support/exposition.ts";
import { ask } from "../support/http.ts";

async function scrape(place: Place) {
  const { status, headers, body } = await ask(`http://${place.site.agent.addresses.control}/metrics`);
  expect(status).toBe(200);
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  const families = readExposition(body);
  return { families, value: (series: string) => valueAt(families, series) };
}

const openPlace = (sweepMs = 0) =>
  Place.open({
    files: { "a.lua": "return require 'b'", "b.lua": "return 'v1'" },
    answer: "ngx.print(require 'a')",
    watch: { sweepMs },
  });

describe("metrics", () => {
  it("tell of commits and of what they evicted, and of VMs", async () => {
    const place = await openPlace();
    expect(await place.answers()).toEqual(["v1", "v1"]);
    await place.perform("a save", () => place.tree.write({ "b.lua": "return 'v2'" }), "v2");
    const { value } = await scrape(place);
    expect(value("relua_generation")).toBe(2);
    expect(value('relua_reloads_total{outcome="committed",trigger="watch"}')).toBe(1);
    // `perform` looks at everything once more.
    expect(value('relua_reloads_total{outcome="unchanged",trigger="call"}')).toBe(1);
    expect(value("relua_evicted_modules_total")).toBe(2);
    expect(value('relua_reload_stage_duration_seconds_count{stage="canary"}')).toBe(1);
    expect(value('relua_vms{state="ready"}')).toBe(2);
    for (const vm of [1, 2]) {
      expect(value(`relua_vm_generation{vm="${vm}"}`)).toBe(2);
      expect(value(`relua_vm_modules{vm="${vm}"}`)).toBe(2);
    }
    expect(value("relua_watch_files")).toBe(2);
    expect(value('relua_watch_mode{mode="events"}')).toBe(1);
    expect(value("relua_watch_missed_total")).toBe(0);
  });

  it("tell of what clients got, by the first digit, and of what each VM had to do", async () => {
    const place = await Place.open({
      files: {},
      answer: "if ngx.var.uri == '/error' then error('on purpose') end ngx.print('ok')",
    });
    for (const path of ["ok", "ok", "error", "%"]) await ask(`${place.site.url}/${path}`);
    const { value } = await scrape(place);
    expect(value('relua_http_responses_total{class="2xx"}')).toBe(2);
    expect(value('relua_http_responses_total{class="4xx"}')).toBe(1);
    expect(value('relua_http_responses_total{class="5xx"}')).toBe(1);
    const [one, two] = [1, 2].map((vm) => value(`relua_vm_dispatched_requests_total{vm="${vm}"}`)!);
    expect(one! + two!).toBe(3);
    expect(value("relua_waiting_requests")).toBe(0);
    expect(value("relua_http_connections")).toBeGreaterThanOrEqual(0);
    expect(value('relua_unfinished_requests_total{reason="vm-died"}')).toBe(0);
  });

  it("say how much of the sources is in memory", async () => {
    const place = await openPlace();
    const { value } = await scrape(place);
    expect(value("relua_source_bytes")).toBe(place.site.agent.arenaBytes);
    expect(value("relua_source_bytes")).toBeGreaterThan(0);
  });

  it("tell of a rejection for as long as it stands", async () => {
    const place = await openPlace();
    await place.answers();
    place.tree.write({ "b.lua": "return (" });
    await vi.waitFor(() => expect(place.site.agent.status().rejected).toBeDefined(), { timeout: 10_000 });
    const standing = await scrape(place);
    expect(standing.value("relua_rejected")).toBe(1);
    expect(standing.value("relua_disk_differs")).toBe(1);
    expect(standing.value('relua_reloads_total{outcome="rejected",trigger="watch"}')).toBe(1);
    expect(standing.value("relua_evicted_modules_total")).toBe(0);
    await place.perform("repaired", () => place.tree.write({ "b.lua": "return 'v3'" }), "v3");
    const { value } = await scrape(place);
    expect(value("relua_rejected")).toBe(0);
    expect(value("relua_disk_differs")).toBe(0);
  });

  it("count what no event told of", async () => {
    const place = await openPlace(200);
    const outside = elsewhere();
    linkSync(place.path("b.lua"), outside.path("same.lua"));
    await place.untilSwept();
    await place.perform("by a hard link", () => outside.write({ "same.lua": "return 'v2'" }), "v2");
    await vi.waitFor(async () => {
      const { value } = await scrape(place);
      expect(value("relua_watch_missed_total")).toBe(1);
      expect(value("relua_watch_last_sweep_timestamp_seconds")).toBeGreaterThan(0);
    });
  });

  it("have no more series after many requests and reloads than before", async () => {
    const place = await openPlace();
    await place.answers();
    const seriesOf = async () =>
      [...(await scrape(place)).families.values()].flatMap(({ samples }) => [...samples.keys()]).toSorted();
    const before = await seriesOf();
    await place.site.agent.reload({ names: ["a"], force: true, reason: "one" });
    await place.site.agent.reload({ names: ["b"], force: true, reason: "two" });
    await place.answers();
    // A VM measures its heap when it has something to do.
    const known = (all: readonly string[]) =>
      all.filter((series) => !series.startsWith("relua_vm_heap_bytes"));
    expect(known(await seriesOf())).toEqual(known(before));
  });
});
