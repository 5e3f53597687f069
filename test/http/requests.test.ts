/** Requests on real sockets: what reaches the VMs, what is refused, and in which order. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Dispatcher } from "../../src/core/work.ts";
import type { Pool } from "../../src/vm/pool.ts";
import { anyLocation, ask, freePort, get, openTestPlane, plain } from "./plane.ts";

const locations = (...patterns: readonly string[]) => [
  {
    listens: ["127.0.0.1:0"],
    serverNames: ["first", "second"],
    locations: patterns.map((location) => ({ location })),
  },
];

describe("a request", () => {
  it("reaches the VM with every byte of its head", async () => {
    const { client, dispatcher, port } = await openTestPlane(locations("/", "~ ^/a/(.)(x)?"));
    const browser = await client();
    const before = Date.now();
    browser.send(get("//a/./%e9%20/b?x=%20&+", "X-Bytes: \xe9\x80\xff", "x-bytes: again", "X-Empty:"));
    const { request } = await dispatcher.next();
    const { startedAt, remotePort, ...rest } = request;
    expect(rest).toEqual({
      method: "GET",
      target: "//a/./%e9%20/b?x=%20&+",
      uri: "/a/\xe9 /b",
      args: "x=%20&+",
      httpVersion: "1.1",
      headers: ["Host", "localhost", "X-Bytes", "\xe9\x80\xff", "x-bytes", "again", "X-Empty", ""],
      scheme: "http",
      remoteAddr: "127.0.0.1",
      serverAddr: "127.0.0.1",
      serverPort: port,
      serverName: "first",
      connection: 1,
      connectionRequests: 1,
      location: 2,
      captures: ["\xe9", ""],
    });
    expect(remotePort).toBe(browser.socket.localPort);
    expect(startedAt).toBeGreaterThanOrEqual(before);
    expect(startedAt).toBeLessThanOrEqual(Date.now());
  });

  it("keeps more headers than node would by itself", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/", ...Array.from({ length: 2_500 }, (_, index) => `H${index}: v`)));
    expect((await dispatcher.next()).request.headers).toHaveLength(2 * 2_501);
  });

  it("counts connections, and requests on each", async () => {
    const { client, dispatcher } = await openTestPlane();
    dispatcher.react = (work) =>
      work.answer(`${work.request.connection}.${work.request.connectionRequests};`);
    const [one, two] = [await client(), await client()];
    one.send(get("/"));
    await one.until("1.1;");
    one.send(get("/"));
    await one.until("1.2;");
    two.send(get("/"));
    await two.until("2.1;");
  });

  it("goes to the server that its Host names, or its target in the absolute form", async () => {
    const listens = [`127.0.0.1:${await freePort()}`];
    const servers = ["one", "*.two"].map((name) => ({
      listens,
      serverNames: [name],
      locations: [{ location: "/" }],
    }));
    const { client, dispatcher } = await openTestPlane(servers);
    dispatcher.react = (work) => work.answer(`${work.request.serverName}${work.request.uri};`);
    const browser = await client();
    browser.send("GET /a HTTP/1.1\r\nHost: X.TWO.:99\r\n\r\n");
    await browser.until("*.two/a;");
    browser.send("GET http://x.two:1/b HTTP/1.1\r\nHost: one\r\n\r\n");
    await browser.until("*.two/b;");
    browser.send("GET /c HTTP/1.1\r\nHost: nobody\r\n\r\n");
    await browser.until("one/c;");
  });

  it("of HTTP/1.0 needs no Host, and its connection closes", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send("GET /old HTTP/1.0\r\n\r\n");
    const work = await dispatcher.next();
    expect(work.request).toMatchObject({ httpVersion: "1.0", headers: [] });
    work.answer("bye");
    expect(await browser.rest()).toMatch(/\r\nConnection: close\r\n\r\nbye$/);
  });

  it("is dispatched on the pool as it is", () => {
    // A type is what is tested: the pool satisfies what the data plane asks for.
    const asDispatcher = (pool: Pool): Dispatcher => pool;
    expect(asDispatcher).toBeTypeOf("function");
  });
});

describe("answered without a VM", () => {
  it.each([
    ["an asterisk", ask("OPTIONS", "*"), 400],
    ["a path without slash", get("x"), 400],
    ["a path above the root", get("/a/../../b"), 400],
    ["a broken escape", get("/%zz"), 400],
    ["a zero byte", get("/%00"), 400],
    ["a space in the path", get("/a b"), 400],
    ["a control character in the path", get("/\x01"), 400],
    // nginx takes these; node's parser does not.
    ["a byte beyond ASCII in the path", get("/\xe9"), 400],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400],
    ["two Hosts", get("/", "Host: other"), 400],
    ["a bad Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400],
    ["a bad host in the target", get("http://a..b/"), 400],
    ["a header without colon", get("/", "nonsense"), 400],
    ["two lengths", get("/", "Content-Length: 1", "Content-Length: 2"), 400],
    ["a length beside chunks", get("/", "Content-Length: 1", "Transfer-Encoding: chunked"), 400],
    ["an unknown method", ask("FOO", "/"), 400],
    ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00", 400],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505],
    ["CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405],
    ["a target that is too long", get(`/${"a".repeat(9_000)}`), 414],
    ["headers that are too large", get("/", `A: ${"a".repeat(40_000)}`), 431],
  ])("%s", async (_, text, status) => {
    const { client, dispatcher, plane } = await openTestPlane();
    const browser = await client();
    browser.send(text);
    const answer = await browser.rest();
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} \\w.*\\r\\nConnection: close\\r\\n`, "s"));
    expect(answer).toMatch(/\r\nx-relua-generation: 5\r\nx-relua-vm: 0\r\n/);
    expect(answer.split("<center><h1>")).toHaveLength(2);
    expect(answer).toContain(`<h1>${status} `);
    expect(dispatcher.works).toEqual([]);
    // And the next client is served.
    dispatcher.react = (work) => work.answer();
    const next = await client();
    next.send(get("/next"));
    await next.until("answer to /next\n");
    expect(plane.connections).toBe(1);
  });

  it("TRACE is not allowed, and the connection stays", async () => {
    const { client } = await openTestPlane();
    const browser = await client();
    browser.send(ask("TRACE", "/"));
    expect(await browser.until("</html>\r\n")).toMatch(
      /^HTTP\/1\.1 405 Not Allowed\r\n.*\r\nConnection: keep-alive/s,
    );
  });

  it("CONNECT by a client that resets its connection does no harm", async () => {
    const { client, dispatcher } = await openTestPlane();
    const [rude, polite] = [await client(), await client()];
    rude.send(get("/") + ask("CONNECT", "a:443"));
    const work = await dispatcher.next();
    rude.socket.resetAndDestroy();
    await work.aborted;
    dispatcher.react = (work) => work.answer();
    polite.send(get("/polite"));
    await polite.until("answer to /polite");
  });

  it("no location: nginx's 404", async () => {
    const { client } = await openTestPlane(locations("/a"));
    const browser = await client();
    browser.send(get("/b"));
    expect(plain(await browser.until("</html>\r\n"))).toBe(
      [
        "HTTP/1.1 404 Not Found",
        "Server: relua",
        "x-relua-generation: 5",
        "x-relua-vm: 0",
        "Content-Type: text/html",
        "Content-Length: 146",
        "Connection: keep-alive",
        "",
        "<html>",
        "<head><title>404 Not Found</title></head>",
        "<body>",
        "<center><h1>404 Not Found</h1></center>",
        "<hr><center>relua</center>",
        "</body>",
        "</html>",
        "",
      ].join("\r\n"),
    );
  });
});

describe("a body", () => {
  const bodyOf = async (text: string) => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(text);
    const { request } = await dispatcher.next();
    return request.body === undefined ? undefined : Buffer.from(request.body).toString("latin1");
  };

  it("arrives whole, by its length and in chunks", async () => {
    expect(await bodyOf(`${ask("POST", "/", "Content-Length: 4")}\x00\xffab`)).toBe("\x00\xffab");
    expect(
      await bodyOf(
        `${ask("POST", "/", "Transfer-Encoding: chunked")}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n`,
      ),
    ).toBe("abcde");
    expect(await bodyOf(`${ask("POST", "/", "Content-Length: 1024")}${"x".repeat(1024)}`)).toHaveLength(1024);
  });

  it("is absent without one, and empty when it has no chunks", async () => {
    expect(await bodyOf(get("/"))).toBeUndefined();
    expect(await bodyOf(ask("POST", "/", "Content-Length: 0"))).toBeUndefined();
    expect(await bodyOf(`${ask("POST", "/", "Transfer-Encoding: chunked")}0\r\n\r\n`)).toBe("");
  });

  it("is waited for: nothing is dispatched before its last byte", async () => {
    const { client, dispatcher } = await openTestPlane();
    const [slow, quick] = [await client(), await client()];
    slow.send(`${ask("POST", "/slow", "Content-Length: 4")}abc`);
    quick.send(get("/quick"));
    expect((await dispatcher.next()).request.target).toBe("/quick");
    slow.send("d");
    expect((await dispatcher.next()).request.target).toBe("/slow");
  });

  it.each([
    ["by its length", ask("POST", "/", "Content-Length: 300000")],
    ["by its chunks", `${ask("POST", "/", "Transfer-Encoding: chunked")}493e0\r\n${"x".repeat(1025)}`],
  ])("that is too large is refused %s, without being cut off from its sender", async (_, text) => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(text);
    await browser.until("413 Request Entity Too Large</h1>");
    // The rest may still come: a close would answer it with a reset.
    for (let part = 0; part < 20; part += 1)
      await new Promise((resolve) => browser.socket.write("x".repeat(10_000), resolve));
    expect(browser.errors).toEqual([]);
    browser.socket.end();
    expect(await browser.rest()).toMatch(/^HTTP\/1\.1 413 .*\r\nConnection: close\r\n.*<\/html>\r\n$/s);
    expect(dispatcher.works).toEqual([]);
  });

  it("that is too large is not read for ever", async () => {
    const { client } = await openTestPlane(anyLocation, { limits: { bodyBytes: 10, lingerMs: 20 } });
    const browser = await client();
    browser.send(ask("POST", "/", "Content-Length: 1000"));
    expect(await browser.rest()).toMatch(/^HTTP\/1\.1 413 /);
  });

  it.each([
    ["ends before its length", `${ask("POST", "/", "Content-Length: 5")}abc`],
    ["ends before its last chunk", `${ask("POST", "/", "Transfer-Encoding: chunked")}3\r\nabc\r\n`],
  ])("that %s is dropped", async (_, text) => {
    const { client, dispatcher, plane } = await openTestPlane();
    for (const leave of ["end", "destroy"] as const) {
      const browser = await client();
      browser.send(text);
      if (leave === "end") {
        browser.socket.end();
        expect(await browser.rest()).toBe("");
      } else {
        browser.socket.destroySoon();
        await browser.closed;
      }
    }
    dispatcher.react = (work) => work.answer();
    const next = await client();
    next.send(get("/next"));
    await next.until("answer to /next\n");
    expect(dispatcher.works).toHaveLength(1);
    expect(plane.connections).toBe(1);
  });

  it("with a chunk that is none is refused", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(`${ask("POST", "/", "Transfer-Encoding: chunked")}3\r\nabcXX`);
    expect(await browser.rest()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(dispatcher.works).toEqual([]);
  });

  it("is asked for with 100 Continue, unless it would be refused", async () => {
    const { client, dispatcher } = await openTestPlane();
    const [small, large] = [await client(), await client()];
    small.send(ask("POST", "/", "Expect: 100-continue", "Content-Length: 2"));
    expect(await small.until("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    small.send("ok");
    expect(Buffer.from((await dispatcher.next()).request.body ?? []).toString()).toBe("ok");
    large.send(ask("POST", "/", "Expect: 100-continue", "Content-Length: 2000"));
    expect(await large.until("</html>")).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("other expectations are ignored, as in nginx", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/", "Expect: miracles"));
    expect((await dispatcher.next()).request.target).toBe("/");
  });
});

describe("pipelined requests", () => {
  it("are answered in order, each only after the one before it", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(`${ask("POST", "/1", "Content-Length: 1")}x${get("/2")}${get("/3")}`);
    for (const target of ["/1", "/2", "/3"]) {
      const work = await dispatcher.next();
      expect(work.request.target).toBe(target);
      expect(dispatcher.works.at(-1)).toBe(work);
      work.answer(`<${target}>`);
    }
    const answers = await browser.until("</3>");
    expect(answers.match(/<\/\d>/g)).toEqual(["</1>", "</2>", "</3>"]);
  });

  it("may be thousands, and hold back their sender while they wait", async () => {
    const total = 20_000;
    const { client, dispatcher } = await openTestPlane();
    let parsed = 0;
    const count = () => {
      parsed += 1;
    };
    subscribe("http.server.request.start", count);
    onTestFinished(() => void unsubscribe("http.server.request.start", count));
    const browser = await client();
    let answers = 0;
    const answered = new Promise<void>((resolve) => {
      browser.socket.on("data", (text: string) => {
        for (const char of text) if (char === "+" && ++answers === total) resolve();
      });
    });
    const batch = Array.from({ length: 1_000 }, () => get("/")).join("");
    const sendAll = async () => {
      for (let sent = 0; sent < total; sent += 1_000)
        await new Promise<void>((resolve) => browser.socket.write(batch, "latin1", () => resolve()));
    };
    const sent = sendAll();
    const first = await dispatcher.next();
    // Another client comes through meanwhile, again and again: what the first one sends had its time to be read.
    dispatcher.react = (work) => work.answer("+");
    for (let round = 0; round < 100; round += 1) {
      const other = await client();
      other.send(get("/other", "Connection: close"));
      await other.rest();
    }
    expect(parsed - 100).toBeLessThan(total / 2);
    first.answer("+");
    await sent;
    await answered;
    expect(answers).toBe(total);
  });

  it("behind an unreadable one are not answered, those before it are", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(`${get("/1")}${get("/2")}NONSENSE\r\n\r\n${get("/3")}`);
    (await dispatcher.next()).answer();
    (await dispatcher.next()).answer();
    const answers = await browser.rest();
    expect(answers.match(/^HTTP\/1\.1 \d+|(?<=answer to ).*$/gm)).toEqual([
      "HTTP/1.1 200",
      "/1",
      "HTTP/1.1 200",
      "/2",
      "HTTP/1.1 400",
    ]);
    expect(dispatcher.works).toHaveLength(2);
  });

  it("behind a response that closes are not dispatched", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/1", "Connection: close") + get("/2"));
    (await dispatcher.next()).answer();
    await browser.rest();
    const another = await client();
    another.send(get("/1") + get("/2"));
    (await dispatcher.next()).page(500);
    expect(await another.rest()).toMatch(/^HTTP\/1\.1 500 /);
    expect(dispatcher.works.map(({ request }) => request.target)).toEqual(["/1", "/1"]);
  });

  it("are all refused when the pool is full, without a word too many", async () => {
    const { client, dispatcher } = await openTestPlane();
    const browser = await client();
    dispatcher.dispatch = (_work, sink) => {
      sink.unavailable("pool-full");
      return { abort() {}, continueAt() {} };
    };
    browser.send(Array.from({ length: 3_000 }, () => get("/")).join("") + get("/", "Connection: close"));
    expect((await browser.rest()).match(/^HTTP\/1\.1 503 /gm)).toHaveLength(3_001);
  });
});
