/** The manifest: what the watched files contain in one generation, by path and by hash. */

/** Where the bytes of one content are: a range of a shared arena, readable in every thread. */
export interface ContentRef {
  readonly arena: number;
  readonly offset: number;
  readonly length: number;
}

/** One path that the search path can reach, with the file behind it and the content it has. */
export interface SourceFile {
  /** Absolute and normalised, as a template forms it: symlinks not resolved. */
  readonly path: string;
  /** Canonical real path: the identity of the file. Equal to `path` where no symlink is on the way. */
  readonly file: string;
  /** XXH64 of the bytes, 16 hexadecimal digits. */
  readonly hash: string;
  readonly content: ContentRef;
}

/** The difference between two manifests, as it travels. */
export interface ManifestDelta {
  readonly present: readonly SourceFile[];
  /** Paths at which nothing is any more. */
  readonly absent: readonly string[];
  /** Every arena that `present` names, by number. */
  readonly arenas: ReadonlyMap<number, SharedArrayBuffer>;
}

/** A whole manifest, as it travels to a VM that starts: `packed`, with `present` and `absent` laid over it. */
export interface ManifestSnapshot extends ManifestDelta {
  /** Many files in shared memory, by `packFiles` of packed-manifest.ts; undefined for none. */
  readonly packed?: SharedArrayBuffer;
}
