/** What is watched, by which means, and how well that goes, in few words. */

import { listNames, shorten } from "../observe/abbreviate.ts";
import { count, formatMs, grouped } from "../observe/quantities.ts";
import type { Style } from "../observe/style.ts";
import type { ToldWatch } from "./answers.ts";

export function watchedText({
  files,
  folders,
  mode,
}: {
  readonly files: number;
  readonly folders: number;
  readonly mode: string;
}): string {
  const where = `in ${count(folders, "folder")}`;
  if (mode === "manual") return `${count(files, "file")} ${where}, not watched`;
  const means = mode === "events" ? "" : mode === "polling" ? " by polling" : " by frequent sweeps";
  return `${count(files, "file")} watched ${where}${means}`;
}

/** `reading 40,000 of 100,000 files` */
export function readingText({
  filesDone,
  filesTotal,
}: {
  readonly filesDone: number;
  readonly filesTotal: number;
}): string {
  return `reading ${grouped(filesDone)} of ${grouped(filesTotal)} files`;
}

/** All of it for `relua status`: what needs attention stands out, lists are cut. */
export function watchLines(watch: ToldWatch, style: Style): readonly string[] {
  const { mode, live, missingRoots, skipped, ignored, reading } = watch;
  const attention = [
    ...(reading === undefined ? [] : [readingText(reading)]),
    ...(live || mode === "manual"
      ? []
      : ["the watcher is starting: changes may go unnoticed until it is ready"]),
    ...missingRoots.map((root) => `${root} does not exist; watched until it appears`),
    ...skippedLines(skipped),
  ];
  return [
    watchedText(watch),
    ...listed("", watch.roots.filter(({ realFolder }) => realFolder !== undefined).map(rootText)),
    ...attention.map((line) => style.attention(`  ${line}`)),
    ...sweepLines(watch, style),
    ...listed("ignored: ", ignored),
  ];
}

export function skippedLines(
  skipped: readonly { readonly file: string; readonly reason: string }[],
): readonly string[] {
  const { shown, more } = shorten(skipped);
  const lines = shown.map(({ file, reason }) => `${file} is skipped: ${reason}`);
  return more > 0 ? [...lines, `… and ${more} more files are skipped`] : lines;
}

/** The real path where links lead to it: `current/apps → releases/7/apps`. */
function rootText({ folder, realFolder = folder }: ToldWatch["roots"][number]): string {
  return folder === realFolder ? folder : `${folder} → ${realFolder}`;
}

function listed(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`  ${title}${listNames(shorten(items))}`];
}

function sweepLines({ sweep }: ToldWatch, style: Style): readonly string[] {
  if (sweep === undefined || sweep.lastAt === undefined) return [];
  const { lastAt, costMs, missed } = sweep;
  const last = `last sweep ${style.clock(lastAt)}, ${formatMs(costMs)}`;
  return missed === 0
    ? [`  ${last}; events have told of every change so far`]
    : [style.attention(`  ${last}; sweeps have found ${count(missed, "change")} that no event told of`)];
}
