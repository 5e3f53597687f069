/** NJet's configuration API below `/api/v1/config/`, byte for byte (contract §4). */

import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody } from "../body.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { putServers } from "./http-lua.ts";
import { cleanPackages } from "./package-clean.ts";
import { resultBody } from "./result.ts";

/** MIN_CONFIG_BODY_LEN and MAX_CONFIG_BODY_LEN of njt_ctrl_config_api_module.c. */
const minBodyBytes = 2;
const maxBodyBytes = 5_242_880;

const notFound = '{"code":404,"msg":"not found error"}';
const badBody = '{"code":400,"msg":"Request body should be a valid JSON object and less than 5MB"}';
const noHandler = '{"code":-1, "msg":"no rpc handler registered"}';
const usePut = "please use put to invoke this api\n";

export interface NjetApiParts {
  readonly agent: ControlledAgent;
  readonly log: (message: string) => void;
}

/** What one module does. */
interface Module {
  read(): string;
  write(body: Uint8Array): Promise<string>;
}

/** Answers a request whose path below `/api/v1/config` is `path` (see `configPath`). */
export type NjetApi = (
  path: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>;

export function createNjetApi(parts: NjetApiParts): NjetApi {
  const { agent } = parts;
  const modules: ReadonlyMap<string, Module> = new Map([
    [
      "http_lua",
      {
        read: () => JSON.stringify(agent.readServers()),
        write: async (body: Uint8Array) => resultBody(await putServers(agent, body)),
      },
    ],
    [
      "http_lua_package_clean",
      {
        read: () => usePut,
        write: async (body: Uint8Array) => resultBody(await cleanPackages(parts, body)),
      },
    ],
  ]);

  return async (path, request, response) => {
    const [name, ...deeper] = path;
    const module = modules.get(name ?? "");
    if (deeper.length > 0) return write(response, 404, notFound);
    if (request.method === "GET")
      return write(response, 200, name === undefined ? '["http_lua"]' : (module?.read() ?? noHandler));
    if (request.method !== "PUT" || name === undefined) return write(response, 404, notFound);
    // The body is judged before the module is looked for.
    const body = await readBody(request, maxBodyBytes);
    if (body === "too-large" || body.length < minBodyBytes) return write(response, 400, badBody);
    return write(response, 200, module ? await module.write(body) : noHandler);
  };
}

function write(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
