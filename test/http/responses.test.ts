/** Responses on real sockets: how they are framed, nginx's pages, and what happens when one side goes away. */

import { describe, expect, it } from "vitest";
import { anyLocation, ask, get, headOf, openTestPlane, plain, type Work } from "./plane.ts";

/** What a client receives for one request, up to the end of the connection. */
async function receive(request: string, react: (work: Work) => void): Promise<string> {
  const { client, dispatcher } = await openTestPlane();
  const browser = await client();
  browser.send(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  react(await dispatcher.next());
  return plain(await browser.rest());
}

const bytes = (text: string) => Buffer.from(text, "latin1");

describe("a complete response", () => {
  it("has Lua's head and body, byte for byte", async () => {
    const headers = ["Content-Type", "text/x", "X-Byte", "\xe9\t\xff", "x-twice", "1", "X-Twice", "2"];
    const answer = await receive(get("/"), (work) => work.answer("body\x00\xff", { status: 299, headers }));
    expect(answer).toBe(
      "HTTP/1.1 299 \r\nServer: relua\r\nContent-Type: text/x\r\nX-Byte: \xe9\t\xff\r\nx-twice: 1\r\nX-Twice: 2\r\n" +
        "x-relua-generation: 7\r\nx-relua-vm: 2\r\nContent-Length: 6\r\nConnection: close\r\n\r\nbody\x00\xff",
    );
  });

  it("says nothing of generation and VM with exposeGeneration: false", async () => {
    const { client, dispatcher } = await openTestPlane(anyLocation, { exposeGeneration: false });
    dispatcher.react = (work) => work.answer("end");
    const browser = await client();
    browser.send(get("/"));
    await browser.until("end");
    browser.send(get("/%00"));
    expect(await browser.rest()).not.toContain("x-relua");
    const broken = await client();
    broken.send("NONSENSE\r\n\r\n");
    expect(await broken.rest()).not.toContain("x-relua");
  });

  it("has the length of its body, whatever Lua said of it, and no framing by Lua", async () => {
    const headers = [
      "Content-Length",
      "99",
      "Transfer-Encoding",
      "gzip",
      "Trailer",
      "X",
      "Keep-Alive",
      "timeout=1",
    ];
    const answer = await receive(get("/"), (work) =>
      work.answer("four", { headers: [...headers, "Server", "Lua"] }),
    );
    expect(answer).toBe(
      "HTTP/1.1 200 OK\r\nServer: Lua\r\nx-relua-generation: 7\r\nx-relua-vm: 2\r\nContent-Length: 4\r\n" +
        "Connection: close\r\n\r\nfour",
    );
  });

  it("closes the connection when Lua says so", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/"));
    (await dispatcher.next()).answer("end", { headers: ["Connection", "Close"] });
    expect(await browser.rest()).toMatch(/\r\nConnection: close\r\n/);
  });

  it("may be large", async () => {
    const text = "0123456789".repeat(100_000);
    expect(await receive(get("/"), (work) => work.answer(text))).toMatch(
      new RegExp(`Content-Length: 1000000\\r\\n.*\\r\\n\\r\\n${"0123456789".repeat(10)}.*9$`, "s"),
    );
  });

  it.each([
    ["to HEAD has the length and no body", ask("HEAD", "/"), 200, [], "Content-Length: 4\r\n"],
    [
      "to HEAD with nothing written has the length that Lua gave",
      ask("HEAD", "/"),
      200,
      ["Content-Length", "9"],
      "Content-Length: 9\r\n",
    ],
    ["204 has neither", get("/"), 204, ["Content-Length", "4"], ""],
    ["304 has no body", get("/"), 304, ["ETag", "x"], "ETag: x\r\n"],
  ])("%s", async (name, request, status, headers, shown) => {
    const answer = await receive(request, (work) =>
      work.sink.response(
        headOf({ status, headers }),
        name.includes("nothing") ? undefined : bytes("four"),
        2,
      ),
    );
    const body = answer.split("\r\n\r\n")[1];
    expect(body).toBe("");
    expect(answer).toContain(shown);
    if (status === 204) expect(answer).not.toContain("Content-Length");
  });

  it("with a header that cannot be sent becomes a 500, and says so in the log", async () => {
    const { client, dispatcher, log } = await openTestPlane();
    const browser = await client();
    browser.send(get("/"));
    (await dispatcher.next()).answer("x", { headers: ["Bad Name", "x"] });
    expect(await browser.rest()).toMatch(/^HTTP\/1\.1 500 /);
    expect(log).toEqual([expect.stringContaining("error: response head refused: ")]);
  });
});

describe("a response in pieces", () => {
  it("is chunked, and each piece goes out when it comes", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/", "Connection: close"));
    const { sink } = await dispatcher.next();
    sink.head(headOf(), 2);
    expect(await browser.until("\r\n\r\n")).toMatch(/\r\nTransfer-Encoding: chunked\r\n/);
    sink.data(bytes("abc"));
    await browser.until("3\r\nabc\r\n");
    sink.data(bytes("\xff"));
    await browser.until("1\r\n\xff\r\n");
    sink.finish();
    expect(await browser.rest()).toMatch(/\r\n\r\n3\r\nabc\r\n1\r\n\xff\r\n0\r\n\r\n$/);
  });

  const pieces =
    (headers: readonly string[], ...texts: readonly string[]) =>
    ({ sink }: Work) => {
      sink.head(headOf({ headers }), 2);
      for (const text of texts) sink.data(bytes(text));
      sink.finish();
    };

  it("has the length that Lua gave it, and not a byte more", async () => {
    const headers = ["Content-Length", "4"];
    expect(await receive(get("/"), pieces(headers, "ab", "cd"))).toMatch(
      /Content-Length: 4\r\n.*\r\n\r\nabcd$/s,
    );
    expect(await receive(get("/"), pieces(headers, "ab", "cdef", "gh"))).toMatch(/\r\n\r\nabcd$/);
  });

  it("that is shorter than Lua said breaks the connection", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/"));
    pieces(["Content-Length", "9"], "abc")(await dispatcher.next());
    expect(await browser.rest()).toMatch(/\r\nConnection: keep-alive\r\n.*\r\n\r\nabc$/s);
  });

  it("to HEAD is a head", async () => {
    expect(await receive(ask("HEAD", "/"), pieces([], "abc"))).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n$/s);
  });

  it("to HTTP/1.0 ends with the connection", async () => {
    const answer = await receive("GET / HTTP/1.0\r\n\r\n", pieces([], "ab", "c"));
    expect(answer).toMatch(/\r\n\r\nabc$/);
    expect(answer).not.toContain("chunked");
  });

  it("that breaks off shows it: what was sent arrives, the end does not", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/1") + get("/2") + get("/3"));
    (await dispatcher.next()).answer("first");
    const { sink } = await dispatcher.next();
    sink.head(headOf(), 2);
    sink.data(bytes("abc"));
    sink.broken();
    expect(await browser.rest()).toMatch(/first.*\r\n\r\n3\r\nabc\r\n$/s);
    expect(dispatcher.works).toHaveLength(2);
  });

  it("that breaks off before its head is a closed connection (ngx.exit(444))", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/"));
    (await dispatcher.next()).sink.broken();
    expect(await browser.rest()).toBe("");
  });

  it("reaches a client that reads slowly, as much of it as there is", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.socket.pause();
    browser.send(get("/", "Connection: close"));
    const { sink } = await dispatcher.next();
    sink.head(headOf(), 2);
    for (let piece = 0; piece < 200; piece += 1) sink.data(Buffer.alloc(64 * 1024, "x"));
    sink.finish();
    browser.socket.resume();
    const answer = await browser.rest();
    expect(answer.split("\r\n\r\n")[1]?.replaceAll(/[^x]/g, "")).toHaveLength(200 * 64 * 1024);
  });

  it("is cut off when more than the bound waits for a client that does not read", async () => {
    const { client, dispatcher, log } = await openTestPlane(anyLocation, {
      limits: { bodyBytes: 0, responseBufferBytes: 1024 * 1024 },
    });
    const browser = await client();
    browser.socket.pause();
    browser.send(get("/"));
    const work = await dispatcher.next();
    work.sink.head(headOf(), 2);
    for (let piece = 0; piece < 1_000 && !work.wasAborted; piece += 1) {
      work.sink.data(Buffer.alloc(64 * 1024));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(work.wasAborted).toBe(true);
    expect(log).toEqual([expect.stringMatching(/^warn: 127\.0\.0\.1 reads too slowly/)]);
  });

  it("is cut off when its client reads nothing for too long", async () => {
    const { client, dispatcher } = await openTestPlane(anyLocation, { limits: { bodyBytes: 0, sendMs: 50 } });
    const browser = await client();
    browser.socket.pause();
    browser.send(get("/"));
    const work = await dispatcher.next();
    work.sink.head(headOf(), 2);
    for (let piece = 0; piece < 200; piece += 1) work.sink.data(Buffer.alloc(64 * 1024));
    await work.aborted;
  });
});

describe("nginx's page", () => {
  it.each([
    [301, "Moved Permanently", "301 Moved Permanently"],
    [302, "Moved Temporarily", "302 Found"],
    [303, "See Other", "303 See Other"],
    [307, "Temporary Redirect", "307 Temporary Redirect"],
    [308, "Permanent Redirect", "308 Permanent Redirect"],
    [400, "Bad Request", "400 Bad Request"],
    [401, "Unauthorized", "401 Authorization Required"],
    [403, "Forbidden", "403 Forbidden"],
    [404, "Not Found", "404 Not Found"],
    [405, "Not Allowed", "405 Not Allowed"],
    [413, "Request Entity Too Large", "413 Request Entity Too Large"],
    [414, "Request-URI Too Large", "414 Request-URI Too Large"],
    [416, "Requested Range Not Satisfiable", "416 Requested Range Not Satisfiable"],
    [429, "Too Many Requests", "429 Too Many Requests"],
    [500, "Internal Server Error", "500 Internal Server Error"],
    [502, "Bad Gateway", "502 Bad Gateway"],
    [503, "Service Temporarily Unavailable", "503 Service Temporarily Unavailable"],
    [504, "Gateway Time-out", "504 Gateway Time-out"],
  ])("for %i", async (status, phrase, title) => {
    const answer = await receive(get("/"), (work) => work.page(status, ["Location", "/there"]));
    const page =
      `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n` +
      "<hr><center>relua</center>\r\n</body>\r\n</html>\r\n";
    expect(answer).toBe(
      `HTTP/1.1 ${status} ${phrase}\r\nServer: relua\r\nLocation: /there\r\nx-relua-generation: 7\r\nx-relua-vm: 2\r\n` +
        `Content-Type: text/html\r\nContent-Length: ${page.length}\r\nConnection: close\r\n\r\n${page}`,
    );
  });

  it("for statuses without one is empty", async () => {
    const answer = await receive(get("/"), (work) => work.page(418));
    expect(answer).toMatch(/^HTTP\/1\.1 418 \r\n.*\r\nContent-Length: 0\r\n.*\r\n\r\n$/s);
    expect(answer).not.toContain("Content-Type");
  });

  it("is not sent for HEAD, its length is", async () => {
    const answer = await receive(ask("HEAD", "/"), (work) => work.page(404));
    expect(answer).toMatch(/\r\nContent-Length: 146\r\n.*\r\n\r\n$/s);
  });

  it.each([
    [400, false],
    [403, true],
    [404, true],
    [413, false],
    [414, false],
    [500, false],
    [501, false],
    [502, true],
    [503, true],
  ])("for %i keeps the connection: %s", async (status, keeps) => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/"));
    (await dispatcher.next()).page(status);
    expect(await browser.until("</html>")).toContain(`\r\nConnection: ${keeps ? "keep-alive" : "close"}\r\n`);
    if (!keeps) await browser.closed;
  });
});

describe("without an answer from Lua", () => {
  it.each([
    ["pool-full", 503, "\r\nRetry-After: 1\r\n"],
    ["pool-closed", 503, "\r\nConnection: close\r\n"],
    ["vm-died", 502, "\r\nConnection: keep-alive\r\n"],
    ["no-answer", 500, "\r\nConnection: close\r\n"],
  ] as const)("because of %s the client is told %i", async (reason, status, line) => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/"));
    (await dispatcher.next()).sink.unavailable(reason);
    const answer = await browser.until("</html>");
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain(line);
    expect(answer).toContain("\r\nx-relua-generation: 5\r\nx-relua-vm: 0\r\n");
  });
});

describe("an internal redirect", () => {
  const servers = [
    {
      listens: ["127.0.0.1:0"],
      serverNames: [""],
      locations: [{ location: "/" }, { location: "~ ^/user/(\\w+)" }, { location: "@fallback" }],
    },
  ];

  it("goes on at the location of the new path, with its captures and query", async () => {
    const { client, dispatcher } = await openTestPlane(servers);
    const browser = await client();
    browser.send(get("/a?x=1"));
    const work = await dispatcher.next();
    work.sink.redirect({ uri: "/user/ann", args: "y=2" }, work);
    work.sink.redirect({ uri: "@fallback" }, work);
    work.sink.redirect({ uri: "@nowhere" }, work);
    work.sink.redirect({ uri: "/b", args: "" }, work);
    expect(work.continuations).toEqual([
      { uri: "/user/ann", args: "y=2", location: 2, captures: ["ann"] },
      { uri: "/user/ann", args: "y=2", location: 3, captures: [] },
      { uri: "/user/ann", args: "y=2", location: undefined, captures: [] },
      { uri: "/b", args: "", location: 1, captures: [] },
    ]);
    work.answer();
    await browser.until("answer");
  });
});

describe("a client that goes away", () => {
  it("aborts its request, and those that wait behind it never start", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/1") + get("/2"));
    const work = await dispatcher.next();
    browser.socket.resetAndDestroy();
    await work.aborted;
    expect(dispatcher.works).toHaveLength(1);
  });

  it("in the middle of a response in pieces aborts it", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/"));
    const work = await dispatcher.next();
    work.sink.head(headOf(), 2);
    work.sink.data(bytes("abc"));
    await browser.until("abc");
    browser.socket.destroy();
    await work.aborted;
  });

  it("by half gets its answers", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.socket.end(get("/1") + get("/2"), "latin1");
    (await dispatcher.next()).answer();
    (await dispatcher.next()).answer();
    expect(await browser.rest()).toMatch(/answer to \/1.*answer to \/2\n$/s);
  });

  it("by half is not waited for much longer", async () => {
    const { client, dispatcher } = await openTestPlane(anyLocation, {
      limits: { bodyBytes: 0, halfClosedMs: 20 },
    });
    const browser = await client();
    browser.socket.end(get("/"), "latin1");
    const work = await dispatcher.next();
    await work.aborted;
    expect(await browser.rest()).toBe("");
  });
});
