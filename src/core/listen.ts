/** Addresses to listen on, in the forms of nginx's `listen` directive. */

import { ReluaError } from "../errors.ts";

export interface ListenAddress {
  /** An IPv4 address, an IPv6 address without brackets, or a host name. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/**
 * Parses `127.0.0.1:8080`, `8080` and `*:8080` (all IPv4 addresses, as in nginx), `[::1]:80`, `localhost:80`.
 * @throws ReluaError `config-invalid`
 */
export function parseListen(text: string): ListenAddress {
  const [, bracketed, plain, digits] =
    /^(?:(?:\[([\da-f:.]*:[\da-f:.]*)\]|(\*|[\w.-]+)):)?(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  const host = bracketed ?? (plain === undefined || plain === "*" ? "0.0.0.0" : plain);
  if (digits === undefined || port > 65535 || !isHost(host)) {
    throw new ReluaError(
      "config-invalid",
      `${JSON.stringify(text)} is no address; write ADDRESS:PORT, e.g. 127.0.0.1:8080`,
    );
  }
  return { host, port };
}

/** The one spelling of an address: `0.0.0.0:80`, `[::1]:80`. NJet's messages name servers by it. */
export function formatListen({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine can reach the address: 127.0.0.0/8, ::1, localhost. */
export function isLoopback(address: ListenAddress | string): boolean {
  const host = (typeof address === "string" ? address : address.host).toLowerCase();
  return /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(host) || host === "::1" || host === "localhost";
}

/** Digits and dots must be four numbers up to 255; anything else is a name, which the system resolves. */
function isHost(host: string): boolean {
  if (!/^[\d.]+$/.test(host)) return true;
  const parts = host.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}
