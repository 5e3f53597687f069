/** See heaps.mjs, which processes without a loader for TypeScript import as well. */
export declare const gcThread: string;
export declare function collectedHeaps(vms: number): Promise<ReadonlyMap<number, number>>;
