/** Reads Prometheus' text format 0.0.4, strictly: what its documentation does not allow is an error here. */

/** Type and samples of one metric. */
export interface Family {
  readonly type: string;
  readonly help: string;
  /** `name{label="value"}`, labels in the order of their names → value. */
  readonly samples: ReadonlyMap<string, number>;
}

const types = new Set(["counter", "gauge", "histogram", "summary", "untyped"]);
const number = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|NaN|[+-]Inf)$/i;

/** @throws Error with the line that is wrong */
export function readExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, { type: string; help: string; samples: Map<string, number> }>();
  const series = new Set<string>();
  let help: { readonly name: string; readonly text: string } | undefined;
  let current: string | undefined;
  for (const line of text.split("\n")) {
    const fail = (why: string) => new Error(`${why}: ${line}`);
    if (line === "") continue;
    const helpLine = /^# HELP ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    const typeLine = /^# TYPE ([a-zA-Z_:][\w:]*) (\w+)$/.exec(line);
    if (helpLine) {
      if (families.has(helpLine[1]!)) throw fail("a second HELP");
      help = { name: helpLine[1]!, text: helpLine[2]! };
      current = undefined;
    } else if (typeLine) {
      const [, name, type] = typeLine;
      if (help?.name !== name) throw fail("no HELP before it");
      if (!types.has(type!)) throw fail("no such type");
      families.set(name!, { type: type!, help: help!.text, samples: new Map() });
      current = name;
    } else {
      const [, name, , labels = "", value] = /^([a-zA-Z_:][\w:]*)(\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === undefined || !number.test(value!)) throw fail("no sample");
      const family = current === undefined ? undefined : families.get(current);
      if (!family || !belongs(name, current!, family.type)) throw fail("not below its TYPE");
      const key = `${name}{${labelsOf(labels, fail)}}`;
      if (series.has(key)) throw fail("a second sample of one series");
      series.add(key);
      family.samples.set(key, Number(value!.replace("Inf", "Infinity")));
    }
  }
  for (const [name, { type, samples }] of families) {
    if (type === "counter" && !name.endsWith("_total")) throw new Error(`a counter without _total: ${name}`);
    if (type !== "counter" && name.endsWith("_total")) throw new Error(`_total, and no counter: ${name}`);
    if (type === "histogram") checkHistogram(name, samples);
  }
  return families;
}

/** The value of one series: `valueAt(families, 'relua_vms{state="ready"}')`; undefined where there is none. */
export function valueAt(families: ReadonlyMap<string, Family>, series: string): number | undefined {
  const key = series.includes("{") ? series : `${series}{}`;
  for (const { samples } of families.values()) if (samples.has(key)) return samples.get(key);
  return undefined;
}

function belongs(name: string, family: string, type: string): boolean {
  if (type !== "histogram") return name === family;
  return ["_bucket", "_sum", "_count"].some((end) => name === family + end);
}

function labelsOf(text: string, fail: (why: string) => Error): string {
  const label = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;
  const labels = new Map<string, string>();
  while (label.lastIndex < text.length) {
    const found = label.exec(text);
    if (!found) throw fail("no labels");
    if (labels.has(found[1]!)) throw fail("one label twice");
    labels.set(found[1]!, found[2]!);
    if (label.lastIndex === 0) break;
  }
  return [...labels]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${value}"`)
    .join(",");
}

/** Buckets never fall, end at +Inf, and agree with the count. */
function checkHistogram(name: string, samples: ReadonlyMap<string, number>): void {
  const last = new Map<string, number>();
  for (const [key, value] of samples) {
    if (!key.startsWith(`${name}_bucket{`)) continue;
    const others = key
      .slice(`${name}_bucket`.length)
      .replace(/,?le="[^"]*"/, "")
      .replace("{,", "{");
    if (value < (last.get(others) ?? 0)) throw new Error(`a bucket falls: ${key}`);
    last.set(others, value);
    if (key.includes('le="+Inf"') && samples.get(`${name}_count${others}`) !== value)
      throw new Error(`the count is not the last bucket: ${key}`);
  }
  for (const others of last.keys())
    if (!samples.has(`${name}_sum${others}`)) throw new Error(`no sum: ${name}${others}`);
}
