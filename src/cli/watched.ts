/** How many files are watched, and by which means, in few words. */

import { count } from "../observe/quantities.ts";

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
