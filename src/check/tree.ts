/** The files of a check as its rules see them: what each says, which names lead to it, and who requires whom. */

import { type RuleId, rules, type Severity } from "../core/check-rules.ts";
import type { SourceFile } from "../core/manifest.ts";
import type { PinnedWhy } from "../core/pins.ts";
import { canonicalName, namesOf, type Resolution, resolve, type SearchPath } from "../core/search-path.ts";
import type { Place, StaticRequire } from "../core/source-facts.ts";
import type { Finding, Location } from "./finding.ts";
import type { SourceReading } from "./read-source.ts";
import { shownPath } from "./shown-path.ts";

/** A file that is checked. */
export interface CheckedFile {
  readonly source: SourceFile;
  readonly reading: SourceReading;
}

export interface TreeParts {
  readonly searchPath: SearchPath;
  /** Messages tell paths relative to this folder, absolute. */
  readonly cwd: string;
  /** Everything that a name can reach, checked or not. */
  readonly reachable: readonly SourceFile[];
  /** Each real file once. */
  readonly checked: readonly CheckedFile[];
  /** Modules that are there without a file: built-ins, and what the config pins. */
  readonly pinnedWhy: PinnedWhy;
  /** Modules that the host provides. */
  readonly isHostModule: (name: string) => boolean;
  /** Globals that the config declares. */
  readonly globals: ReadonlySet<string>;
  readonly aliases: "warn" | "error" | "off";
}

/** A place of a finding, and what is different about it. */
export interface FindingAt extends Place {
  readonly severity?: Severity;
  readonly message: string;
  readonly related?: Finding["related"];
}

export class Tree {
  readonly parts: TreeParts;
  readonly #byPath: ReadonlyMap<string, SourceFile>;
  readonly #checked: ReadonlyMap<string, CheckedFile>;
  readonly #resolutions = new Map<string, Resolution>();

  constructor(parts: TreeParts) {
    this.parts = parts;
    this.#byPath = new Map(parts.reachable.map((source) => [source.path, source]));
    this.#checked = new Map(parts.checked.map((file) => [file.source.file, file]));
  }

  get files(): readonly CheckedFile[] {
    return this.parts.checked;
  }

  /** Where the search for a name ends, in any spelling. */
  resolve(name: string): Resolution {
    const canonical = canonicalName(name);
    const known = this.#resolutions.get(canonical);
    if (known !== undefined) return known;
    const resolution = resolve(this.parts.searchPath, canonical, this.exists);
    this.#resolutions.set(canonical, resolution);
    return resolution;
  }

  /** The real file that a name leads to. */
  fileOf(name: string): string | undefined {
    const { path } = this.resolve(name);
    return path === undefined ? undefined : this.#byPath.get(path)?.file;
  }

  /** The checked file that a require leads to. */
  requiredBy({ name }: StaticRequire): CheckedFile | undefined {
    return this.#checked.get(this.fileOf(name) ?? "");
  }

  namesOf(path: string): ReturnType<typeof namesOf> {
    return namesOf(this.parts.searchPath, path, this.exists);
  }

  readonly exists = (path: string): boolean => this.#byPath.has(path);

  /** A path for people. */
  shown(path: string): string {
    return shownPath(path, this.parts.cwd);
  }

  location({ source }: CheckedFile, { line, column }: Place): Location {
    return { path: source.path, line, column };
  }

  finding(
    rule: RuleId,
    file: CheckedFile,
    { severity, message, related = [], line, column }: FindingAt,
  ): Finding {
    return {
      rule,
      severity: severity ?? rules[rule].severity,
      path: file.source.path,
      line,
      column,
      message,
      related,
      source: file.reading.line(line),
    };
  }
}
