/** The seam between the watcher and whatever tells of changes: hints say where to look, never what is there. */

/** What a hint source tells. Folders are the real paths that were given to `watch`. */
export interface HintListener {
  /**
   * Something happened to `name` in `folder`; undefined when the source does not know to what.
   * `change`: its content or attributes; `rename`: it appeared, vanished, or is a folder.
   */
  hint(folder: string, name: string | undefined, kind: "change" | "rename"): void;
  /** From now on changes in `folder` are told. */
  opened(folder: string): void;
  /** Changes in `folder` are not told, or not told any more. `code` is a system error's: `ENOSPC`, `EMFILE`, …. */
  failed(folder: string, code: string): void;
}

/** Tells of changes directly in folders. May drop, delay and repeat hints: the sweep finds what it missed. */
export interface HintSource {
  /** Begins to watch a real folder; subfolders are asked for one by one. Answered by `opened` or `failed`. */
  watch(folder: string): void;
  unwatch(folder: string): void;
  close(): Promise<void>;
}

export type OpenHints = (listener: HintListener) => HintSource;
