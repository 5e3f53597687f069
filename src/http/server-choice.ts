/** Chooses a server by the request's host, in nginx's order (nginx, "Server names"). */

import { ReluaError } from "../errors.ts";

/** A server under its names. */
export interface NamedServer<Server> {
  readonly server: Server;
  readonly names: readonly string[];
}

/**
 * Names of the servers on one address. A name is exact, `*.example.com`, `mail.*`, `.example.com` (itself and all
 * below it) or `~regex`; where two servers have the same name, the first has it.
 */
export class ServerChoice<Server> {
  /** The first server takes requests for hosts that no name fits. */
  readonly #default: Server;
  readonly #exact = new Map<string, Server>();
  /** `example.com`, from `.example.com`. */
  readonly #dotted = new Map<string, Server>();
  /** `.example.com`, from `*.example.com`. */
  readonly #leading = new Map<string, Server>();
  /** `mail.`, from `mail.*`. */
  readonly #trailing = new Map<string, Server>();
  readonly #regexes: { readonly regex: RegExp; readonly server: Server }[] = [];
  #lastHost: string | undefined;
  #lastServer: Server;

  /** @throws ReluaError `config-invalid` for a `~regex` that does not compile. */
  constructor(servers: readonly [NamedServer<Server>, ...NamedServer<Server>[]]) {
    this.#default = servers[0].server;
    this.#lastServer = this.#default;
    for (const { server, names } of servers) for (const name of names) this.#add(name, server);
  }

  /** `host` without port, in lower case; empty when the request names none. */
  choose(host: string): Server {
    if (host === this.#lastHost) return this.#lastServer;
    this.#lastServer = this.#find(host) ?? this.#default;
    this.#lastHost = host;
    return this.#lastServer;
  }

  #add(name: string, server: Server): void {
    const lowered = name.toLowerCase();
    if (name.startsWith("~")) this.#regexes.push({ regex: compile(name), server });
    else if (lowered.startsWith("*.")) keepFirst(this.#leading, lowered.slice(1), server);
    else if (lowered.endsWith(".*")) keepFirst(this.#trailing, lowered.slice(0, -1), server);
    else if (lowered.startsWith(".")) {
      keepFirst(this.#dotted, lowered.slice(1), server);
      keepFirst(this.#leading, lowered, server);
    } else keepFirst(this.#exact, lowered, server);
  }

  #find(host: string): Server | undefined {
    return (
      this.#exact.get(host) ??
      this.#dotted.get(host) ??
      this.#findLeading(host) ??
      this.#findTrailing(host) ??
      this.#regexes.find(({ regex }) => regex.test(host))?.server
    );
  }

  /** The longest wildcard wins, so the host is shortened label by label. */
  #findLeading(host: string): Server | undefined {
    if (this.#leading.size === 0) return undefined;
    for (let dot = host.indexOf(".", 1); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const server = this.#leading.get(host.slice(dot));
      if (server !== undefined) return server;
    }
    return undefined;
  }

  #findTrailing(host: string): Server | undefined {
    if (this.#trailing.size === 0) return undefined;
    for (let dot = host.lastIndexOf("."); dot > 0; dot = host.lastIndexOf(".", dot - 1)) {
      const server = this.#trailing.get(host.slice(0, dot + 1));
      if (server !== undefined) return server;
    }
    return undefined;
  }
}

function keepFirst<Server>(names: Map<string, Server>, name: string, server: Server): void {
  if (!names.has(name)) names.set(name, server);
}

function compile(name: string): RegExp {
  try {
    // Hosts are compared in lower case, so a regex with capital letters has to ignore case.
    return new RegExp(name.slice(1), "i");
  } catch (error) {
    throw new ReluaError(
      "config-invalid",
      `server name ${JSON.stringify(name)}: ${(error as Error).message}`,
      [],
      {
        cause: error,
      },
    );
  }
}
