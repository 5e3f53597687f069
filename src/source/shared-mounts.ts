/** Knows the file systems that others write to as well: of what they write, the kernel here is told nothing. */

import { statfsSync } from "node:fs";
import type { DiskIndex } from "./disk-index.ts";

/**
 * By what `statfs` says they are (linux/magic.h; those that are not in the kernel as in coreutils' stat.c). Some deliver
 * events of what is written on this machine, so a file written as a probe would prove nothing. overlayfs is not among
 * them: a container's own layer tells of what is written in the container.
 */
const sharedFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9p"],
  [0x65735546, "FUSE or virtiofs"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x7461636f, "OCFS2"],
  [0x01161970, "GFS2"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x564c, "NCP"],
  [0x00c0ffee, "hostfs"],
  [0x786f4256, "VirtualBox's shared folders"],
  [0xbacbacbc, "VMware's shared folders"],
  [0x7c7c6673, "Parallels' shared folders"],
  [0x6a656a63, "Docker Desktop's shared folders"],
]);

/** What `statfs` says about the file system that a folder is on; undefined when it does not say. */
export type FileSystemType = (folder: string) => number | undefined;

export const fileSystemType: FileSystemType = (folder) => {
  try {
    return statfsSync(folder).type;
  } catch {
    return undefined;
  }
};

/** A folder on such a file system, and what that is called. */
export interface SharedMount {
  readonly folder: string;
  readonly kind: string;
}

/** Asks once for each device that folders of the index are on. */
export class SharedMounts {
  readonly #typeOf: FileSystemType;
  #kinds = new Map<string, string | undefined>();
  #judged = -1;
  #first: SharedMount | undefined;

  constructor(typeOf: FileSystemType) {
    this.#typeOf = typeOf;
  }

  /** The first of the folders that is on a shared file system. */
  first(index: DiskIndex): SharedMount | undefined {
    if (this.#judged === index.foldersVersion) return this.#first;
    this.#judged = index.foldersVersion;
    this.#first = undefined;
    const kinds = new Map<string, string | undefined>();
    for (const { identity, real } of index.folders()) {
      if (identity === undefined) continue;
      const device = identity.slice(0, identity.indexOf(":"));
      if (!kinds.has(device)) kinds.set(device, this.#kind(device, real));
      const kind = kinds.get(device);
      if (kind !== undefined) this.#first ??= { folder: real, kind };
    }
    // A device that no folder is on any more may come back as another one under its number.
    this.#kinds = kinds;
    return this.#first;
  }

  #kind(device: string, folder: string): string | undefined {
    return this.#kinds.has(device)
      ? this.#kinds.get(device)
      : sharedFileSystems.get((this.#typeOf(folder) ?? 0) >>> 0);
  }
}
