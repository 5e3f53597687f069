/** Which sockets to bind for the addresses of a table, as nginx does it. */

import { formatListen, type ListenAddress } from "../core/servers.ts";

export interface Binding {
  readonly address: ListenAddress;
  /** The key of the table that a connection belongs to, by the address it arrived at. */
  readonly listenOf: (local: ListenAddress) => string;
}

const wildcards = new Set(["0.0.0.0", "::"]);

/**
 * One socket per address; but where an address of all interfaces takes a port, it takes the connections to single
 * addresses of that port and family too, and they are told apart by where they arrive.
 */
export function planBindings(
  listens: readonly { readonly key: string; readonly address: ListenAddress }[],
): readonly Binding[] {
  const isWildcard = ({ address }: { readonly address: ListenAddress }) =>
    wildcards.has(address.host) && address.port !== 0;
  const familyAndPort = ({ host, port }: ListenAddress) => `${host.includes(":") ? 6 : 4}:${port}`;
  const covered = new Set(listens.filter(isWildcard).map(({ address }) => familyAndPort(address)));
  return listens
    .filter((listen) => isWildcard(listen) || !covered.has(familyAndPort(listen.address)))
    .map((listen) => {
      if (!isWildcard(listen)) return { address: listen.address, listenOf: () => listen.key };
      const family = familyAndPort(listen.address);
      const single = new Set(
        listens.filter(({ address }) => familyAndPort(address) === family).map(({ key }) => key),
      );
      return {
        address: listen.address,
        listenOf: (local) => {
          const key = formatListen(local);
          return single.has(key) ? key : listen.key;
        },
      };
    });
}
