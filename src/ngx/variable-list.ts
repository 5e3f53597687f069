/** nginx's built-in variables: name → value (ngx_http_core_module, "Embedded Variables"). */

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { utf8ToLatin1 } from "../lua/stack.ts";
import type { Exchange } from "./exchange.ts";
import type { NgxHost } from "./host.ts";
import { hostOf } from "./host-name.ts";
import { readBodyText } from "./request-body.ts";

type Variable = (exchange: Exchange, host: NgxHost) => string | undefined;

const args: Variable = (exchange) => (exchange.argsGiven ? exchange.args : undefined);
const uri: Variable = (exchange) => exchange.uri;

/** Seconds with milliseconds. */
function seconds(milliseconds: number): string {
  return (Math.max(0, milliseconds) / 1000).toFixed(3);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number): string => String(value).padStart(2, "0");

/** `+01:00`, or `+0100` without a separator. */
function zone(at: Date, separator: string): string {
  const minutes = -at.getTimezoneOffset();
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.trunc(absolute / 60))}${separator}${two(absolute % 60)}`;
}

const clock = (at: Date): string => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

function timeLocal(): string {
  const at = new Date();
  return `${two(at.getDate())}/${months[at.getMonth()]}/${at.getFullYear()}:${clock(at)} ${zone(at, "")}`;
}

function timeIso8601(): string {
  const at = new Date();
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${clock(at)}${zone(at, ":")}`;
}

/** Addresses as bytes: 4, or 16 for IPv6. */
function binaryAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  if (!mapped.includes(":")) return String.fromCharCode(...mapped.split(".").map(Number));
  const [left = "", right] = (mapped.split("%")[0] as string).split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const zeros = new Array<string>(Math.max(0, 8 - head.length - tail.length)).fill("0");
  return [...head, ...zeros, ...tail]
    .map((group) => Number.parseInt(group, 16))
    .map((group) => String.fromCharCode(group >> 8, group & 0xff))
    .join("");
}

/** Bytes of the request: line, headers and body. */
function requestLength({ request }: Exchange): number {
  let bytes = request.method.length + request.target.length + " HTTP/1.1\r\n\r\n".length + 1;
  for (const text of request.headers) bytes += text.length + 2;
  return bytes + (request.body?.length ?? 0);
}

function remoteUser(exchange: Exchange): string | undefined {
  const encoded = /^basic +(.+)$/i.exec(exchange.headers.get("authorization") ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString("latin1");
  const colon = decoded.indexOf(":");
  return colon < 0 ? undefined : decoded.slice(0, colon);
}

const machine = hostname().toLowerCase();
const documentRoot: Variable = (_exchange, { prefix }) => `${utf8ToLatin1(prefix.replace(/\/$/, ""))}/html`;

/** By name in lower case; `http_…`, `arg_…`, `cookie_…`, `sent_http_…` and captures are in `variables.ts`. */
export const builtinVariables: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ["uri", uri],
  ["document_uri", uri],
  ["request_uri", ({ request }) => request.target],
  ["args", args],
  ["query_string", args],
  ["is_args", ({ args }) => (args === "" ? "" : "?")],
  ["request_method", ({ method }) => method],
  ["request", ({ request }) => `${request.method} ${request.target} HTTP/${request.httpVersion}`],
  ["server_protocol", ({ request }) => `HTTP/${request.httpVersion}`],
  ["scheme", ({ request }) => request.scheme],
  ["https", ({ request }) => (request.scheme === "https" ? "on" : "")],
  ["host", hostOf],
  ["hostname", () => machine],
  ["server_name", ({ request }) => request.serverName],
  ["server_addr", ({ request }) => request.serverAddr],
  ["server_port", ({ request }) => `${request.serverPort}`],
  ["remote_addr", ({ request }) => request.remoteAddr],
  ["remote_port", ({ request }) => `${request.remotePort}`],
  ["binary_remote_addr", ({ request }) => binaryAddress(request.remoteAddr)],
  ["remote_user", remoteUser],
  ["connection", ({ request }) => `${request.connection}`],
  ["connection_requests", ({ request }) => `${request.connectionRequests}`],
  ["content_type", ({ headers }) => headers.get("content-type")],
  ["content_length", ({ headers }) => headers.get("content-length")],
  ["request_body", readBodyText],
  ["request_length", (exchange) => `${requestLength(exchange)}`],
  ["request_time", ({ request }) => seconds(Date.now() - request.startedAt)],
  [
    "request_id",
    (exchange) => {
      exchange.requestId ??= randomBytes(16).toString("hex");
      return exchange.requestId;
    },
  ],
  ["request_completion", ({ stream }) => (stream.ended ? "OK" : "")],
  ["status", ({ status }) => String(status).padStart(3, "0")],
  ["body_bytes_sent", ({ stream }) => `${stream.bodyBytes}`],
  ["document_root", documentRoot],
  ["request_filename", (exchange, host) => `${documentRoot(exchange, host)}${exchange.uri}`],
  ["msec", () => seconds(Date.now())],
  ["time_iso8601", timeIso8601],
  ["time_local", timeLocal],
  ["pid", () => `${process.pid}`],
  ["nginx_version", () => "1.25.3"],
]);
