/** A request and a response are the same on the other side of the port. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { flatRequest, flatResponse, requestMessage, responseMessage } from "../../src/vm/flat-messages.ts";
import type { RequestMessage, ResponseMessage } from "../../src/vm/protocol.ts";

const text = fc.string({ unit: "binary", maxLength: 20 });
const number = fc.nat();
const bytes = fc.uint8Array({ maxLength: 20 });

const requests: fc.Arbitrary<RequestMessage> = fc.record({
  type: fc.constant("request"),
  id: number,
  request: fc.record(
    {
      method: text,
      target: text,
      uri: text,
      args: text,
      httpVersion: text,
      headers: fc.array(text),
      body: bytes,
      scheme: fc.constantFrom("http", "https"),
      remoteAddr: text,
      remotePort: number,
      serverAddr: text,
      serverPort: number,
      serverName: text,
      connection: number,
      connectionRequests: number,
      startedAt: fc.double({ noNaN: true }),
      location: number,
      captures: fc.array(text),
    },
    {
      requiredKeys: [
        ...(["method", "target", "uri", "args", "httpVersion", "headers", "scheme"] as const),
        ...(["remoteAddr", "remotePort", "serverAddr", "serverPort", "serverName"] as const),
        ...(["connection", "connectionRequests", "startedAt", "location", "captures"] as const),
      ],
    },
  ),
});

const responses: fc.Arbitrary<ResponseMessage> = fc.record({
  type: fc.constant("response"),
  id: number,
  head: fc.record({ status: number, headers: fc.array(text), errorPage: fc.boolean(), generation: number }),
  body: fc.constantFrom(undefined, "text", new Uint8Array([1, 2])),
  over: fc.boolean(),
});

it("a request is itself again", () => {
  fc.assert(
    fc.property(requests, (message) => {
      expect(requestMessage(structuredClone(flatRequest(message)))).toEqual(message);
    }),
  );
});

it("a response is itself again", () => {
  fc.assert(
    fc.property(responses, (message) => {
      expect(responseMessage(structuredClone(flatResponse(message)))).toEqual(message);
    }),
  );
});
