/** Binds a server to an address; what goes wrong is said with the address and a way out. */

import type { Server } from "node:net";
import { formatListen, type ListenAddress } from "../core/servers.ts";
import { ReluaError } from "../errors.ts";

/** Connections that the system keeps waiting, nginx's default on Linux. */
const backlog = 511;

/**
 * Starts listening; resolves to the address with its real port. `setting` is the key that says where, for the message.
 * @throws ReluaError `address-in-use`, `listen-failed`
 */
export function listenOn(server: Server, address: ListenAddress, setting: string): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(explain(error, address, setting));
    server.once("error", fail);
    // IPv6 only, as nginx: `[::]:80` beside `0.0.0.0:80` is two addresses.
    server.listen({ ...address, backlog, ipv6Only: address.host.includes(":") }, () => {
      server.off("error", fail);
      const bound = server.address();
      resolve(
        bound !== null && typeof bound === "object" ? { host: bound.address, port: bound.port } : address,
      );
    });
  });
}

function explain(error: NodeJS.ErrnoException, address: ListenAddress, setting: string): ReluaError {
  const where = formatListen(address);
  switch (error.code) {
    case "EADDRINUSE":
      return new ReluaError(
        "address-in-use",
        `${where} is in use by another program; stop that, or write another address in ${setting}`,
        [],
        { cause: error },
      );
    case "EACCES":
      return new ReluaError(
        "listen-failed",
        `${where}: not permitted; write a port from 1024 on in ${setting}, or run with the right to bind it`,
        [],
        { cause: error },
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new ReluaError(
        "listen-failed",
        `${where} is no address of this machine; write one that is in ${setting}`,
        [],
        { cause: error },
      );
    default:
      return new ReluaError("listen-failed", `cannot listen on ${where}: ${error.message}`, [], {
        cause: error,
      });
  }
}
