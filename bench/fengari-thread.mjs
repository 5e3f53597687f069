// A thread with a bare Fengari state and its standard library, which stays until it is ended.
import { parentPort } from "node:worker_threads";
import fengari from "../dist/fengari/fengari.js";

const L = fengari.lauxlib.luaL_newstate();
fengari.lualib.luaL_openlibs(L);
parentPort.on("message", () => L);
parentPort.postMessage("ready");
