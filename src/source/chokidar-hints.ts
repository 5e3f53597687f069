/** Hints by chokidar's `raw` event: one non-recursive watcher for each folder, and no listing of what is in it. */

import { FSWatcher } from "chokidar";
import type { HintListener, HintSource } from "./hints.ts";

/**
 * chokidar lists a folder and stats every entry upon each event, which in a folder of thousands is late by a minute.
 * The scanner lists folders itself, so this watcher is kept from it; were the method to go away in a later release,
 * compiling would fail here, and listing again would cost time only.
 */
class FolderWatcher extends FSWatcher {
  override _readdirp(): undefined {
    return undefined;
  }
}

/** chokidar as a source of hints. */
export function openChokidarHints(listener: HintListener): HintSource {
  const watchers = new Map<string, FolderWatcher>();
  const closing = new Set<Promise<void>>();

  const watch = (folder: string) => {
    const watcher = new FolderWatcher({
      depth: 0,
      ignoreInitial: true,
      // Holds removals back for 100 ms.
      atomic: false,
      followSymlinks: false,
      ignorePermissionErrors: false,
      // By path alone: also keeps chokidar from watching the parent of a folder that has just vanished.
      ignored: (path) => path !== folder,
    });
    watchers.set(folder, watcher);
    let failed = false;
    watcher.on("raw", (event, name) => {
      if (watchers.get(folder) !== watcher) return;
      listener.hint(
        folder,
        typeof name === "string" ? name : undefined,
        event === "change" ? "change" : "rename",
      );
    });
    watcher.on("error", (error) => {
      if (watchers.get(folder) !== watcher) return;
      failed = true;
      unwatch(folder);
      listener.failed(folder, error instanceof Error && "code" in error ? String(error.code) : String(error));
    });
    watcher.on("ready", () => {
      if (!failed && watchers.get(folder) === watcher) listener.opened(folder);
    });
    watcher.add(folder);
  };

  const unwatch = (folder: string) => {
    const watcher = watchers.get(folder);
    if (watcher === undefined) return;
    watchers.delete(folder);
    const closed = watcher.close().finally(() => closing.delete(closed));
    closing.add(closed);
  };

  return {
    watch,
    unwatch,
    async close() {
      for (const folder of [...watchers.keys()]) unwatch(folder);
      await Promise.all(closing);
    },
  };
}
