/** `ngx.worker`: each VM is a worker. */

import { lua, type lua_State } from "#fengari";
import { pushNumber, setFunction, toBytes } from "../lua/stack.ts";
import type { NgxHost } from "./host.ts";

/** Sets `worker.id`, `worker.count`, `worker.pid` (the process's: VMs are threads of one), `worker.exiting`; +0. */
export function openWorker(L: lua_State, host: NgxHost): void {
  lua.lua_createtable(L, 0, 4);
  const numbers = { id: host.workerId, count: host.workerCount, pid: process.pid };
  for (const [name, value] of Object.entries(numbers)) {
    setFunction(L, name, (L) => {
      pushNumber(L, value);
      return 1;
    });
  }
  setFunction(L, "exiting", (L) => {
    lua.lua_pushboolean(L, host.exiting());
    return 1;
  });
  lua.lua_setfield(L, -2, toBytes("worker"));
}
