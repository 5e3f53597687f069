/** What a metric is that is read at the scrape, and ways to write one down. */

/** One value; `of` are its labels. */
export interface Sample {
  readonly value: number;
  readonly of?: Readonly<Record<string, string>>;
}

/** A metric that is read off `From`. */
export interface Metric<From> {
  /** By Prometheus' conventions: base units, `_total` behind what only grows. */
  readonly name: string;
  readonly help: string;
  /** A counter begins anew when what it counts in does, as Prometheus expects. */
  readonly type: "gauge" | "counter";
  readonly labels?: readonly string[];
  readonly read: (from: From) => readonly Sample[];
}

export function gauge<From>(name: string, help: string, read: (from: From) => number): Metric<From> {
  return { name, help, type: "gauge", read: (from) => [{ value: read(from) }] };
}

export function counter<From>(name: string, help: string, read: (from: From) => number): Metric<From> {
  return { ...gauge(name, help, read), type: "counter" };
}

export function flag<From>(name: string, what: string, read: (from: From) => boolean): Metric<From> {
  return gauge(name, `${what}: 1, else 0`, (from) => Number(read(from)));
}

/** What is not known has no value. */
export function sample(value: number | undefined, of: Sample["of"] = {}): readonly Sample[] {
  return value === undefined ? [] : [{ value, of }];
}

/** A series for each value that a label can take, so that one that is left goes back to 0. */
export function oneOf(label: string, values: readonly string[], now: string): readonly Sample[] {
  return values.map((value) => ({ value: Number(value === now), of: { [label]: value } }));
}
