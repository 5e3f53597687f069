/** Who may call: the rules that keep web pages and strangers out (contract §5, "Security"). */

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isLoopback } from "../../core/listen.ts";
import { type Problem, problem } from "./problem.ts";

export interface SecurityRules {
  /** The host of `control.listen`. */
  readonly listenHost: string;
  /** Undefined: anyone who reaches the address may call. */
  readonly token: string | undefined;
  /** Names, or `name:port`, that `Host` may have beside loopback names and the address itself. */
  readonly allowedHosts: readonly string[];
}

/** `open`: no token needed; `njet`: takes any content type, but nothing from browsers; `relua`: all the others. */
export type CallKind = "open" | "njet" | "relua";

/** Why a call is refused; undefined when it may pass. */
export type Gate = (request: IncomingMessage, kind: CallKind) => Problem | undefined;

export function createGate(rules: SecurityRules): Gate {
  const tokenDigest = rules.token === undefined ? undefined : digest(Buffer.from(rules.token, "utf8"));
  const allowed = new Set([rules.listenHost, ...rules.allowedHosts].map(normalHost));

  return (request, kind) =>
    targetProblem(request) ??
    hostProblem(request, allowed) ??
    (kind === "open" ? undefined : tokenProblem(request, tokenDigest)) ??
    (isRead(request) ? undefined : originProblem(request, kind));
}

function isRead({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "HEAD";
}

/** The absolute form (RFC 9112, 3.2.2) names a second host that nothing here would check. */
function targetProblem(request: IncomingMessage): Problem | undefined {
  if (request.url?.startsWith("/")) return undefined;
  if (request.method === "OPTIONS" && request.url === "*") return undefined;
  return problem(400, "target-invalid", "the request target is no path; send one that starts with /");
}

/** DNS rebinding: a page of a foreign name that resolves to this address still sends that name. */
function hostProblem(request: IncomingMessage, allowed: ReadonlySet<string>): Problem | undefined {
  const hosts = request.rawHeaders.filter(
    (name, index) => index % 2 === 0 && name.toLowerCase() === "host",
  ).length;
  const host = request.headers.host ?? "";
  const [, name] = /^(\[[\da-f:.]+\]|[^\s:/@?#[\]]+)(?::\d{1,5})?$/i.exec(host) ?? [];
  if (hosts === 1 && name !== undefined) {
    const plain = normalHost(name);
    const own = plain === request.socket.localAddress;
    if (own || isLoopback(plain) || allowed.has(plain) || allowed.has(host.toLowerCase())) return undefined;
  }
  return problem(
    421,
    "host-not-allowed",
    `Host is ${JSON.stringify(host)}; it takes a loopback name, the address itself, or one of control.allowedHosts`,
  );
}

/** Lower case, without brackets and without the dot of a fully qualified name. */
function normalHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
}

function tokenProblem(request: IncomingMessage, expected: Buffer | undefined): Problem | undefined {
  if (expected === undefined) return undefined;
  const [, given] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "") ?? [];
  // Node gives header bytes as latin1. Digests have one length, which timingSafeEqual asks for.
  if (given !== undefined && timingSafeEqual(digest(Buffer.from(given, "latin1")), expected))
    return undefined;
  const detail =
    given === undefined
      ? "this call takes Authorization: Bearer with the token of control.token"
      : "the token is not the one of control.token";
  const challenge =
    given === undefined ? 'Bearer realm="relua"' : 'Bearer realm="relua", error="invalid_token"';
  return problem(401, "token-required", detail, { headers: { "www-authenticate": challenge } });
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/**
 * No web page may write. Browsers add `Origin` or `Sec-Fetch-Site` to every write; a page of this very address (the
 * dashboard) passes with a JSON content type, which no other page can send without a preflight that nobody answers.
 */
function originProblem(request: IncomingMessage, kind: CallKind): Problem | undefined {
  const { origin, host } = request.headers;
  const site = request.headers["sec-fetch-site"];
  if (origin === undefined && site === undefined) return undefined;
  if (kind === "njet")
    return problem(403, "origin-not-allowed", "this call is not for browsers; send it without Origin");
  const foreign =
    (origin !== undefined && origin !== `http://${host}`) ||
    (site !== undefined && site !== "same-origin" && site !== "none");
  if (foreign)
    return problem(
      403,
      "origin-not-allowed",
      `Origin is ${JSON.stringify(origin ?? site)}; writes take none but this address`,
    );
  if (isJson(request.headers["content-type"])) return undefined;
  return problem(403, "origin-not-allowed", "writes from a browser take Content-Type: application/json");
}

function isJson(contentType: string | undefined): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType ?? "");
}
