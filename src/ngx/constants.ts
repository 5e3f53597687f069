/** The numbers of the ngx table: result codes, request methods, HTTP status codes, kinds of escaping. */

import type { lua_State } from "#fengari";
import { setField } from "../lua/stack.ts";
import { escapeFor } from "./encoding.ts";
import type { NgxHost } from "./host.ts";

/** nginx's result codes. */
const results = { OK: 0, ERROR: -1, AGAIN: -2, DONE: -4, DECLINED: -5 } as const;

/** nginx's bit for each request method (ngx_http_request.h); the constant is `ngx.HTTP_<name>`. */
export const methodBits = {
  GET: 0x0002,
  HEAD: 0x0004,
  POST: 0x0008,
  PUT: 0x0010,
  DELETE: 0x0020,
  MKCOL: 0x0040,
  COPY: 0x0080,
  MOVE: 0x0100,
  OPTIONS: 0x0200,
  PROPFIND: 0x0400,
  PROPPATCH: 0x0800,
  LOCK: 0x1000,
  UNLOCK: 0x2000,
  PATCH: 0x4000,
  TRACE: 0x8000,
} as const;

/** lua-nginx-module, "HTTP status constants"; the constant is `ngx.HTTP_<name>`. */
const statusCodes = {
  CONTINUE: 100,
  SWITCHING_PROTOCOLS: 101,
  OK: 200,
  CREATED: 201,
  ACCEPTED: 202,
  NO_CONTENT: 204,
  PARTIAL_CONTENT: 206,
  SPECIAL_RESPONSE: 300,
  MOVED_PERMANENTLY: 301,
  MOVED_TEMPORARILY: 302,
  SEE_OTHER: 303,
  NOT_MODIFIED: 304,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  PAYMENT_REQUIRED: 402,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406,
  REQUEST_TIMEOUT: 408,
  CONFLICT: 409,
  GONE: 410,
  UPGRADE_REQUIRED: 426,
  TOO_MANY_REQUESTS: 429,
  CLOSE: 444,
  ILLEGAL: 451,
  INTERNAL_SERVER_ERROR: 500,
  METHOD_NOT_IMPLEMENTED: 501,
  BAD_GATEWAY: 502,
  SERVICE_UNAVAILABLE: 503,
  GATEWAY_TIMEOUT: 504,
  VERSION_NOT_SUPPORTED: 505,
  INSUFFICIENT_STORAGE: 507,
} as const;

/** Sets them all; +0. */
export function openConstants(L: lua_State, _host: NgxHost): void {
  for (const [name, value] of Object.entries(results)) setField(L, name, value);
  for (const [name, value] of Object.entries(methodBits)) setField(L, `HTTP_${name}`, value);
  for (const [name, value] of Object.entries(statusCodes)) setField(L, `HTTP_${name}`, value);
  setField(L, "ESCAPE_URI", escapeFor.uri);
  setField(L, "ESCAPE_URI_COMPONENT", escapeFor.component);
  setField(L, "ESCAPE_MAIL_AUTH", escapeFor.mailAuth);
}
