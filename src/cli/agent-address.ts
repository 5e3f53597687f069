/** Where the running agent is: `--url`, else RELUA_URL, else `control.listen` of the config file. */

import { formatListen, type ListenAddress } from "../core/listen.ts";
import { ReluaError } from "../errors.ts";

export interface AgentAddress {
  /** Ends in a slash: calls are relative to it. */
  readonly url: URL;
  readonly token: string | undefined;
  /** Who says so, for messages: `--url`, `RELUA_URL`, `control.listen of watch.config.ts`. */
  readonly origin: string;
}

export interface AddressOptions {
  readonly url?: string | undefined;
  readonly config?: string | undefined;
}

/** @throws ReluaError `usage`, or what loadConfig throws */
export async function findAgent(
  options: AddressOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<AgentAddress> {
  const token = env.RELUA_TOKEN === "" ? undefined : env.RELUA_TOKEN;
  if (options.url !== undefined) return { url: parseUrl(options.url, "--url"), token, origin: "--url" };
  const fromEnv = env.RELUA_URL;
  if (fromEnv !== undefined && fromEnv !== "")
    return { url: parseUrl(fromEnv, "RELUA_URL"), token, origin: "RELUA_URL" };
  // Takes longer to load than all the rest of such a command.
  const { loadConfig } = await import("../config/index.ts");
  const { control } = await loadConfig(options.config);
  const file = options.config ?? "watch.config.ts";
  if (control.listen.port === 0)
    throw new ReluaError(
      "usage",
      `control.listen of ${file} leaves the port to the system; name it with --url`,
    );
  return {
    url: new URL(`http://${formatListen(reachable(control.listen))}/`),
    // The file's own token goes to the file's own address only.
    token: token ?? control.token,
    origin: `control.listen of ${file}`,
  };
}

/** An agent that listens everywhere is also here. */
function reachable({ host, port }: ListenAddress): ListenAddress {
  if (host === "0.0.0.0") return { host: "127.0.0.1", port };
  return host === "::" ? { host: "::1", port } : { host, port };
}

function parseUrl(text: string, origin: string): URL {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new ReluaError(
      "usage",
      `${origin} is ${JSON.stringify(text)}; it takes an address like http://127.0.0.1:8081`,
    );
  if (url.username !== "" || url.password !== "")
    throw new ReluaError("usage", `${origin} holds a name or a password; the token goes into RELUA_TOKEN`);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  url.search = "";
  url.hash = "";
  return url;
}
