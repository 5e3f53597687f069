// A VM's thread that collects its garbage when asked, and says what is left: a heap that was not collected says little.
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { BroadcastChannel } from "node:worker_threads";
import host from "../dist/threads/vm.js";

export default function collecting(boot) {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc");
  const channel = new BroadcastChannel("relua-bench-gc");
  channel.onmessage = ({ data }) => {
    // The other threads' answers come here as well.
    if (data !== "collect") return;
    gc();
    gc();
    const { used_heap_size, external_memory } = getHeapStatistics();
    channel.postMessage({ vm: boot.vm, bytes: used_heap_size + external_memory });
  };
  return host(boot).finally(() => channel.close());
}
