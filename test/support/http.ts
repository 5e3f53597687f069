/** HTTP as a client on a socket sees it: plain requests, answers of every VM, and bytes that are no HTTP at all. */

import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** `x-relua-vm`; 0 when no VM took part, NaN on the control plane. */
  readonly vm: number;
  /** `x-relua-generation` */
  readonly generation: number;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request on a connection of its own. Rejects when the connection breaks off. */
export function ask(url: string, { method = "GET", headers = {}, body }: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method, headers: { ...headers }, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        text += piece;
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: text,
          vm: Number(response.headers["x-relua-vm"]),
          generation: Number(response.headers["x-relua-generation"]),
        }),
      );
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

/** A PUT of JSON; the answer's body parsed. */
export async function putJson(url: string, value: unknown): Promise<Readonly<Record<string, unknown>>> {
  const { body } = await ask(url, { method: "PUT", body: JSON.stringify(value) });
  return JSON.parse(body) as Record<string, unknown>;
}

/** More requests than any fair choice of VM takes to reach each of them. */
const mostTries = 200;

/** Asks until each of `vms` VMs has answered; what each said, by its number. */
export async function askEveryVm(url: string, vms: number): Promise<ReadonlyMap<number, Answer>> {
  const answers = new Map<number, Answer>();
  for (let tries = 0; answers.size < vms; tries++) {
    if (tries === mostTries) throw new Error(`only VMs ${[...answers.keys()]} of ${vms} answer ${url}`);
    const answer = await ask(url);
    if (answer.vm > 0 && !answers.has(answer.vm)) answers.set(answer.vm, answer);
  }
  return answers;
}

/** The bodies of `askEveryVm`, in no order. */
export async function everyBody(url: string, vms: number): Promise<readonly string[]> {
  return [...(await askEveryVm(url, vms)).values()].map(({ body }) => body);
}

/** Sends bytes to an address as they are and reads to the end of the connection; latin1. `halfClose` ends our side at once. */
export async function sendBytes(
  url: string,
  bytes: string | Uint8Array,
  { halfClose = false }: { readonly halfClose?: boolean } = {},
): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  let text = "";
  socket.setEncoding("latin1").on("data", (piece: string) => {
    text += piece;
  });
  // A server that refuses early resets what it has not read: what it said before is what counts.
  socket.on("error", () => {});
  socket.on("end", () => socket.end());
  // Not `once` of node:events for the end: it rejects at the first error.
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  await once(socket, "connect");
  if (typeof bytes === "string") socket.write(bytes, "latin1");
  else socket.write(bytes);
  if (halfClose) socket.end();
  await closed;
  return text;
}
