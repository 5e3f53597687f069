/**
 * What NJet's answers to `PUT http_lua_package_clean` mean. Sources: OpenNJet, njet-config-api-module
 * (njt_ctrl_config_api_module.c) and njet-http-dyn-lua-module (njt_http_dyn_lua_package_clean_internal).
 */

import type { HttpAnswer } from "./http-call.ts";

/** What a call came to; what failed is tried again. */
export type Verdict =
  | { readonly kind: "taken"; readonly remark: string | undefined }
  | { readonly kind: "failed"; readonly why: string };

/** What a GET of this API answers. */
export const getText = "please use put to invoke this api";

export function verdictOf({ status, body }: HttpAnswer): Verdict {
  const envelope = envelopeOf(body);
  const failed = (why: string): Verdict => ({ kind: "failed", why });
  switch (status) {
    case 200:
      break;
    case 400:
      // Our bodies are well-formed: what is left is that it could not send the call on to a worker.
      return failed(
        "HTTP 400: NJet could not hand the call to a worker (no free request, config_req_pool_size, or its message broker is away)",
      );
    case 401:
    case 403:
      return failed(`HTTP ${status}: NJet's control address lets us not in`);
    case 404:
      return failed(
        "HTTP 404: there is no config API at this address (is it the control server's, and is the path right?)",
      );
    case 500:
      return failed(
        envelope?.msg === "rpc timeout"
          ? "rpc timeout: the worker that takes the calls did not answer; it may have applied this one"
          : `HTTP 500: ${envelope?.msg ?? excerpt(body)}`,
      );
    default:
      return failed(`HTTP ${status}: ${excerpt(body)}`);
  }
  if (body.trim() === getText)
    return failed("the PUT arrived as a GET: something in between turned it into one");
  if (envelope === undefined) return failed(`not an answer of NJet: ${excerpt(body)}`);
  switch (envelope.code) {
    case 0:
      return { kind: "taken", remark: undefined };
    case 1:
      return { kind: "taken", remark: `${envelope.msg} ${envelope.data.join("; ")}`.trim() };
    case -1:
      return failed(`${envelope.msg}: its workers do not run the module http_dyn_lua`);
    default:
      return failed(`code ${envelope.code}: ${envelope.msg} ${envelope.data.join("; ")}`.trim());
  }
}

interface Envelope {
  readonly code: number;
  readonly msg: string;
  readonly data: readonly string[];
}

function envelopeOf(body: string): Envelope | undefined {
  try {
    const { code, msg, data } = (JSON.parse(body) ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof code !== "number") return undefined;
    return {
      code,
      msg: typeof msg === "string" ? excerpt(msg) : "",
      data: Array.isArray(data) ? data.slice(0, 10).map((item) => excerpt(String(item))) : [],
    };
  } catch {
    return undefined;
  }
}

/** The beginning of a text that somebody else wrote, on one line. */
function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (line === "") return "an empty body";
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
