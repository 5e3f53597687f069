/**
 * The two messages that each request takes, as flat lists between the threads: of an object V8 writes, reads and looks up
 * every field's name with every message, which takes twice the time of what is in the fields.
 */

import type { HttpRequest, ResponseBody } from "../core/exchange.ts";
import type { RequestMessage, ResponseMessage } from "./protocol.ts";

/** A `RequestMessage`. */
export type FlatRequest = readonly [
  id: number,
  method: string,
  target: string,
  uri: string,
  args: string,
  httpVersion: string,
  headers: readonly string[],
  body: Uint8Array | undefined,
  scheme: "http" | "https",
  remoteAddr: string,
  remotePort: number,
  serverAddr: string,
  serverPort: number,
  serverName: string,
  connection: number,
  connectionRequests: number,
  startedAt: number,
  location: number,
  captures: readonly string[],
];

/** A `ResponseMessage`. */
export type FlatResponse = readonly [
  id: number,
  status: number,
  headers: readonly string[],
  errorPage: boolean,
  generation: number,
  body: ResponseBody | undefined,
  over: boolean,
];

export function flatRequest({ id, request }: RequestMessage): FlatRequest {
  return [
    id,
    request.method,
    request.target,
    request.uri,
    request.args,
    request.httpVersion,
    request.headers,
    request.body,
    request.scheme,
    request.remoteAddr,
    request.remotePort,
    request.serverAddr,
    request.serverPort,
    request.serverName,
    request.connection,
    request.connectionRequests,
    request.startedAt,
    request.location,
    request.captures,
  ];
}

export function requestMessage(flat: FlatRequest): RequestMessage {
  const body = flat[7];
  const request: HttpRequest = {
    method: flat[1],
    target: flat[2],
    uri: flat[3],
    args: flat[4],
    httpVersion: flat[5],
    headers: flat[6],
    scheme: flat[8],
    remoteAddr: flat[9],
    remotePort: flat[10],
    serverAddr: flat[11],
    serverPort: flat[12],
    serverName: flat[13],
    connection: flat[14],
    connectionRequests: flat[15],
    startedAt: flat[16],
    location: flat[17],
    captures: flat[18],
  };
  return { type: "request", id: flat[0], request: body === undefined ? request : { ...request, body } };
}

export function flatResponse({ id, head, body, over }: ResponseMessage): FlatResponse {
  return [id, head.status, head.headers, head.errorPage, head.generation, body, over];
}

export function responseMessage(flat: FlatResponse): ResponseMessage {
  const [id, status, headers, errorPage, generation, body, over] = flat;
  return { type: "response", id, head: { status, headers, errorPage, generation }, body, over };
}
