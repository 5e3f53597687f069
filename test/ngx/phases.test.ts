import { describe, expect, it } from "vitest";
import { content, createSite, header } from "./site.ts";

const trace = (name: string) => `ngx.ctx.trace = (ngx.ctx.trace or "") .. "${name} "`;

describe("the order of phases", () => {
  it("is rewrite, access, content, header_filter, body_filter for each piece and the end, log", async () => {
    const site = createSite({
      "/": {
        rewrite: trace("rewrite"),
        access: trace("access"),
        content: `${trace("content")} ngx.say("a") ${trace("said")}`,
        header_filter: trace("header_filter"),
        body_filter: trace("body_filter"),
        log: `${trace("log")} ngx.log(ngx.ERR, ngx.ctx.trace)`,
      },
    });
    await site.ask();
    expect(site.log[0]?.message).toContain(
      "rewrite access content header_filter body_filter said body_filter log ",
    );
  });

  it("keeps its order when a phase waits, and does not mix with other requests", async () => {
    const wait = (name: string) => `${trace(name)} ngx.sleep(0.002)`;
    const site = createSite({
      "/": { rewrite: wait("r"), access: wait("a"), content: `${wait("c")} ngx.print(ngx.ctx.trace)` },
    });
    const answers = await Promise.all([site.ask(), site.ask(), site.ask()]);
    expect(answers.map(({ body }) => body)).toEqual(["r a c ", "r a c ", "r a c "]);
    expect(site.scheduler.size).toBe(0);
  });

  it("answers 404 with nginx's page where there is no location or no content handler", async () => {
    const site = createSite({
      "/": { rewrite: "local _ = 1", log: "ngx.log(ngx.ERR, 'status ', ngx.status)" },
    });
    expect(await site.ask()).toMatchObject({ status: 404, errorPage: true, messages: ["response", "done"] });
    expect(site.log[0]?.message).toContain("status 404");
    expect(await site.ask({ target: "/none" })).toMatchObject({ status: 404, errorPage: true });
  });

  it("ngx.get_phase names each", async () => {
    const say = "ngx.log(ngx.ERR, ngx.get_phase())";
    const site = createSite({
      "/": {
        rewrite: say,
        access: say,
        content: say,
        header_filter: say,
        body_filter: say,
        log: say,
      },
    });
    await site.ask();
    const names = site.log.map(({ message }) => message.split(": ").at(-1));
    expect(names).toEqual(["rewrite", "access", "content", "header_filter", "body_filter", "log"]);
  });
});

describe("ngx.exit", () => {
  it.each(["rewrite", "access"])(
    "in %s: OK and DECLINED go on, 200 ends with what was written",
    async (phase) => {
      const run = (code: string) =>
        createSite({
          "/": { [phase]: `${code} error("not reached")`, content: "ngx.print('content')" },
        }).ask();
      expect(await run("ngx.exit(ngx.OK)")).toMatchObject({ status: 200, body: "content" });
      expect(await run("ngx.exit(ngx.DECLINED)")).toMatchObject({ status: 200, body: "content" });
      expect(await run("ngx.exit(ngx.HTTP_OK)")).toMatchObject({ status: 200, body: "" });
      expect(await run("ngx.status = 403 ngx.print('no') ngx.exit(ngx.HTTP_OK)")).toMatchObject({
        status: 403,
        body: "no",
        errorPage: false,
      });
      expect(await run("ngx.exit(ngx.HTTP_FORBIDDEN)")).toMatchObject({
        status: 403,
        errorPage: true,
        body: "",
      });
      expect(await run("ngx.print('written') ngx.exit(ngx.OK)")).toMatchObject({
        status: 200,
        body: "written",
      });
    },
  );

  it("after output in a phase that returns, content does not run", async () => {
    const site = createSite({ "/": { access: "ngx.print('early')", content: "ngx.print('late')" } });
    expect((await site.ask()).body).toBe("early");
  });

  it.each([
    ["ngx.exit(ngx.OK)", { status: 200, body: "", errorPage: false }],
    ["ngx.print('x') ngx.exit(ngx.OK)", { status: 200, body: "x" }],
    ["ngx.exit(201)", { status: 201, body: "", errorPage: false }],
    ["ngx.exit(204)", { status: 204, body: "", errorPage: false, headers: [] }],
    ["ngx.exit(304)", { status: 304, body: "", errorPage: false, headers: [] }],
    ["ngx.exit(404)", { status: 404, body: "", errorPage: true, headers: [] }],
    ["ngx.exit('503')", { status: 503, errorPage: true }],
    ["ngx.status = 410 ngx.exit(200)", { status: 410, errorPage: false, body: "" }],
    ["ngx.status = 410 ngx.exit(500)", { status: 500, errorPage: true }],
    ["ngx.exit(ngx.DECLINED)", { status: 404, errorPage: true }],
    ["ngx.header.x = '1' ngx.header.content_length = 5 ngx.exit(403)", { status: 403, headers: ["x", "1"] }],
  ])("in content: %s", async (code, expected) => {
    expect(await content(`${code} error("not reached")`)).toMatchObject({ ...expected, log: [] });
  });

  it("cannot be caught, and ends the request from any depth", async () => {
    const deep =
      "pcall(function() coroutine.wrap(function() table.sort({2, 1}, function() ngx.exit(403) end) end)() end)";
    expect(await content(`${deep} ngx.say("not reached")`)).toMatchObject({ status: 403, body: "" });
  });

  it("of a status after the head: the response ends as it began, and that is logged", async () => {
    const answer = await content("ngx.say('x') ngx.exit(503)");
    expect(answer).toMatchObject({ status: 200, body: "x\n", messages: ["response", "done"] });
    expect(answer.log[0]).toContain(
      "attempt to set status 503 via ngx.exit after sending out the response status 200",
    );
    expect((await content("ngx.status = 503 ngx.say('x') ngx.exit(503)")).log).toEqual([]);
  });

  it.each([["ngx.ERROR"], ["444"], ["408"], ["499"]])(
    "%s closes the connection without an answer",
    async (status) => {
      expect((await content(`ngx.exit(${status})`)).messages).toEqual(["broken", "done"]);
      expect((await content(`ngx.say("x") ngx.flush() ngx.exit(${status})`)).messages.slice(-2)).toEqual([
        "broken",
        "done",
      ]);
    },
  );

  it("answers 500 for what is no status", async () => {
    expect(await content("ngx.exit(70000)")).toMatchObject({ status: 500, errorPage: true });
  });

  it("takes a number", async () => {
    expect((await content("ngx.print(select(2, pcall(ngx.exit)))")).body).toContain(
      "number expected, got no value",
    );
  });
});

describe("errors", () => {
  it("answer 500 without a word of them, and are logged with a traceback", async () => {
    const answer = await content("local function inner() error('secret') end inner()");
    expect(answer).toMatchObject({ status: 500, body: "", errorPage: true, messages: ["response", "done"] });
    expect(answer.log).toHaveLength(1);
    expect(answer.log[0]).toMatch(
      /^lua entry thread aborted: runtime error: content_by\(\/\):1: secret\nstack traceback:/,
    );
    expect(answer.log[0]).toContain(
      'client: 127.0.0.1, server: site.test, request: "GET / HTTP/1.1", host: "example.test:8080"',
    );
  });

  it("replace output that has not left yet, and break a response that has", async () => {
    expect(await content("ngx.say('half') error('x')")).toMatchObject({
      status: 500,
      body: "",
      errorPage: true,
    });
    const broken = await content("ngx.print('half') ngx.flush() error('x')");
    expect(broken.messages).toEqual(["head", "data:half", "broken", "done"]);
  });

  it.each(["rewrite", "access"])("in %s end the request there", async (phase) => {
    const site = createSite({ "/": { [phase]: "error('x')", content: "ngx.say('content')" } });
    expect(await site.ask()).toMatchObject({ status: 500, body: "" });
  });

  it("of any type end in 500", async () => {
    for (const value of ["nil", "{}", "setmetatable({}, {__tostring = function() error('again') end})"]) {
      expect(await content(`error(${value})`)).toMatchObject({ status: 500 });
    }
  });

  it("of loading: 500 for a syntax error, 404 for a missing file", async () => {
    const syntax = await content("local = 1");
    expect(syntax).toMatchObject({ status: 500, errorPage: true });
    expect(syntax.log[0]).toContain("failed to load inlined Lua code: content_by(/):1:");
    const missing = await content("file:gone.lua");
    expect(missing).toMatchObject({ status: 404, errorPage: true });
    expect(missing.log[0]).toContain('failed to load external Lua file "gone.lua": cannot open gone.lua');
  });

  it("of a filter answer 500 too, and say tells the handler", async () => {
    for (const filter of ["header_filter", "body_filter"]) {
      const site = createSite({
        "/": { content: "_G.result = {ngx.say('x')}", [filter]: "error('bad filter')" },
      });
      expect(await site.ask()).toMatchObject({ status: 500, body: "", errorPage: true });
      expect(site.log[0]?.message).toMatch(
        new RegExp(`^failed to run ${filter}_by_lua\\*: .*bad filter\nstack traceback`),
      );
      expect(site.log).toHaveLength(1);
      expect(site.chunk("return tostring(result[1]) .. result[2]")).toBe("nilnginx output filter error");
    }
  });

  it("of log_by change nothing", async () => {
    const site = createSite({ "/": { content: "ngx.say('x')", log: "error('late')" } });
    expect(await site.ask()).toMatchObject({ status: 200, body: "x\n", messages: ["response", "done"] });
    expect(site.log[0]?.message).toContain("failed to run log_by_lua*: log_by(/):1: late");
  });
});

describe("header_filter", () => {
  it("sees and changes the head, of error pages as well", async () => {
    const site = createSite({
      "/": {
        content: "ngx.header.a = '1' ngx.say('x')",
        header_filter: "ngx.header.b = ngx.header.a .. '2' ngx.status = 203",
      },
      "/error": { content: "ngx.exit(403)", header_filter: "ngx.header.b = tostring(ngx.status)" },
    });
    const answer = await site.ask();
    expect(answer.status).toBe(203);
    expect(header(answer, "b")).toEqual(["12"]);
    expect(header(await site.ask({ target: "/error" }), "b")).toEqual(["403"]);
  });

  it("may replace the response by ngx.exit, which does not end the filter", async () => {
    const site = createSite({
      "/": { content: "ngx.say('x')", header_filter: "ngx.exit(403) ngx.header.after = '1'" },
    });
    const answer = await site.ask();
    expect(answer).toMatchObject({ status: 403, errorPage: true, body: "" });
    expect(header(answer, "after")).toEqual(["1"]);
  });

  it("cannot wait", async () => {
    const site = createSite({
      "/": { content: "ngx.say('x')", header_filter: "ngx.header.e = select(2, pcall(ngx.sleep, 0))" },
    });
    expect(header(await site.ask(), "e")[0]).toMatch(
      /API disabled in the context of header_filter_by_lua\*$/,
    );
  });
});

describe("body_filter", () => {
  const filtered = (filter: string, code = "ngx.print('a') ngx.print('b')") =>
    createSite({ "/": { content: code, body_filter: filter } }).ask();

  it.each([
    ["ngx.arg[1] = string.upper(ngx.arg[1])", "AB"],
    ["ngx.arg[1] = '<' .. ngx.arg[1] .. (ngx.arg[2] and '|' or '') .. '>'", "<a><b><|>"],
    ["ngx.arg[1] = nil", ""],
    ["ngx.arg[1] = {ngx.arg[1], {1, '-'}}", "a1-b1-1-"],
    ["if not ngx.arg[2] then ngx.arg[2] = true end", "a"],
    ["if ngx.arg[1] == 'a' then ngx.arg[1] = 5 end", "5b"],
    [
      "kept = ngx.arg[1] ngx.arg[1] = nil _G.all = (_G.all or '') .. kept if ngx.arg[2] then ngx.arg[1] = _G.all end",
      "ab",
    ],
  ])("%s", async (filter, body) => {
    expect(await filtered(filter)).toMatchObject({ status: 200, body });
  });

  it("may refuse the response", async () => {
    expect(await filtered("return ngx.ERROR")).toMatchObject({ status: 500, errorPage: true });
    const refused = "if ngx.arg[1] == 'a' then return 403 end";
    expect(await filtered(refused, "ngx.print('a') ngx.print('b')")).toMatchObject({ status: 500, body: "" });
  });

  it.each([
    ["ngx.arg[3] = 1", "bad index: 3"],
    ["ngx.arg[1] = true", "bad chunk data type: boolean"],
  ])("%s raises", async (code, message) => {
    const site = createSite({ "/": { content: "ngx.say('x')", body_filter: code } });
    await site.ask();
    expect(site.log[0]?.message).toContain(message);
  });

  it("alone has ngx.arg", async () => {
    expect((await content("ngx.print(select(2, pcall(function() return ngx.arg[1] end)))")).body).toContain(
      "API disabled in the context of content_by_lua*",
    );
  });
});

describe("log_by", () => {
  const log =
    "ngx.log(ngx.ERR, 'logged ', ngx.status, ' ', ngx.var.body_bytes_sent, ' ', ngx.var.request_completion)";

  it.each([
    ["ngx.say('hello')", "logged 200 6 OK"],
    ["ngx.exit(404)", "logged 404 0 OK"],
    ["error('x')", "logged 500 0 OK"],
  ])("runs after %s", async (code, line) => {
    const site = createSite({ "/": { content: code, log } });
    await site.ask();
    expect(site.log.at(-1)?.message).toContain(line);
  });

  it("runs after the client went away, whatever the request was doing", async () => {
    const site = createSite({
      "/": { content: "ngx.sleep(60)", log },
      "/sent": { content: "ngx.say(1) ngx.flush() ngx.sleep(60)", log },
    });
    for (const [target, line] of [
      ["/", "logged 499 0 "],
      ["/sent", "logged 200 2 "],
    ] as const) {
      const { running, answer, done } = site.start({ target });
      running.abort();
      await done;
      expect(answer.messages.filter((message) => message !== "head" && !message.startsWith("data"))).toEqual([
        "done",
      ]);
      expect(site.log.at(-1)?.message).toContain(line);
    }
    expect(site.scheduler.size).toBe(0);
  });

  it.each([["local _ = 1"], ["ngx.sleep(0)"]])(
    "runs after an abort in a later phase than the first: %s",
    async (rewrite) => {
      const site = createSite({ "/": { rewrite, content: "_G.reached = true ngx.sleep(60)", log } });
      const { running, answer, done } = site.start();
      while (site.chunk("return reached") !== "true") await new Promise(setImmediate);
      running.abort();
      expect(site.scheduler.size).toBe(0);
      await done;
      expect(answer.messages).toEqual(["done"]);
    },
  );

  it("runs after a request that used up its limits", async () => {
    const site = createSite({ "/": { content: "while true do end", log } });
    expect(await site.ask({ limits: { instructions: 100_000 } })).toMatchObject({
      status: 500,
      errorPage: true,
    });
    expect(site.log.map(({ message }) => message)).toEqual([
      expect.stringContaining("limits.instructions"),
      expect.stringContaining("logged 500"),
    ]);
    expect(await site.ask({ limits: { deadlineMs: 5 } })).toMatchObject({ status: 504, errorPage: true });
  });
});

describe("a filter without end", () => {
  it.each(["header_filter", "body_filter", "log"] as const)(
    "%s is stopped by the request's limits",
    async (phase) => {
      const site = createSite({
        "/": { content: "ngx.say('x')", [phase]: "pcall(function() while true do end end)" },
      });
      const answer = await site.ask({ limits: { instructions: 100_000 } });
      expect(answer.status).toBe(phase === "log" ? 200 : 500);
      expect(answer.messages).toEqual(["response", "done"]);
      expect(site.log[0]?.message).toMatch(/limits\.instructions|stopped \(instructions\)/);
      expect(site.scheduler.size).toBe(0);
    },
  );
});

describe("internal redirects", () => {
  it("ngx.exec goes on at another location with the given query, a new ctx, and the same method and body", async () => {
    const site = createSite({
      "/": {
        content: "ngx.ctx.x = 1 ngx.header.kept = '1' ngx.exec('/to?a=1', {b = 'c d'}) error('not reached')",
      },
      "/to": {
        rewrite: "ngx.ctx.rewritten = true",
        content:
          "ngx.req.read_body() ngx.print(ngx.var.uri, ' ', ngx.var.args, ' ', ngx.var.request_uri, ' ', ngx.ctx.x, ' ', " +
          "ngx.ctx.rewritten, ' ', ngx.req.get_method(), ' ', ngx.req.get_body_data(), ' ', ngx.req.is_internal())",
      },
    });
    const answer = await site.ask({ method: "POST", body: "body", target: "/?q=1", request: { uri: "/" } });
    expect(answer.body).toBe("/to a=1&b=c%20d /?q=1 nil true POST body true");
    expect(header(answer, "kept")).toEqual(["1"]);
    expect(answer.messages).toEqual(["redirect:/to?a=1&b=c%20d", "response", "done"]);
  });

  it("ngx.exec drops the query, except to a named location", async () => {
    const to = { content: "ngx.print(ngx.var.uri, ' ', ngx.var.args)" };
    const site = createSite({ "/": { access: "ngx.exec(ngx.var.arg_to)" }, "/to": to, "@named": to });
    expect((await site.ask({ target: "/?to=/to" })).body).toBe("/to nil");
    expect((await site.ask({ target: "/?to=@named" })).body).toBe("/ to=@named");
    // What Lua made of the request goes along to the named location.
    const rewritten = createSite({
      "/": { access: "ngx.req.set_uri('/made') ngx.req.set_uri_args('b=2') ngx.exec('@named')" },
      "@named": to,
    });
    expect((await rewritten.ask({ target: "/?a=1" })).body).toBe("/made b=2");
    const warned = createSite({ "/": { content: "ngx.exec('@named', 'a=1')" }, "@named": to });
    await warned.ask();
    expect(warned.log[0]).toMatchObject({
      level: "warn",
      message: expect.stringContaining("query strings a=1 ignored when exec'ing named location @named"),
    });
  });

  it("set_uri with jump starts over and keeps ctx; without, it only sets $uri", async () => {
    const site = createSite({
      "/": { rewrite: "ngx.ctx.x = 1 ngx.req.set_uri_args('b=2') ngx.req.set_uri('/to', true)" },
      "/to": { content: "ngx.print(ngx.ctx.x, ' ', ngx.var.args, ' ', ngx.var.uri)" },
      "/stay": { content: "ngx.req.set_uri('/other') ngx.print(ngx.var.uri)" },
      "/late": { content: "ngx.print(select(2, pcall(ngx.req.set_uri, '/x', true)))" },
    });
    expect((await site.ask({ target: "/" })).body).toBe("1 b=2 /to");
    expect((await site.ask({ target: "/stay" })).body).toBe("/other");
    expect((await site.ask({ target: "/late" })).body).toContain(
      "API disabled in the context of content_by_lua*",
    );
  });

  it("end in 404 where there is no location, and in 500 after ten", async () => {
    const site = createSite({
      "/": { content: "ngx.exec('/none')" },
      "/loop": { content: "ngx.exec('/loop')" },
    });
    expect(await site.ask()).toMatchObject({ status: 404, errorPage: true });
    const looped = await site.ask({ target: "/loop" });
    expect(looped).toMatchObject({ status: 500, errorPage: true });
    expect(looped.messages.filter((message) => message.startsWith("redirect"))).toHaveLength(10);
    expect(site.log[0]?.message).toContain(
      'rewrite or internal redirection cycle while internally redirecting to "/loop"',
    );
  });

  it("can be aborted while the main thread looks for the location", async () => {
    const site = createSite({ "/": { content: "ngx.exec('/to')" }, "/to": { content: "ngx.say('never')" } });
    const { running, answer, done } = site.start();
    running.abort();
    await done;
    expect(answer.messages).toEqual(["redirect:/to?", "done"]);
  });

  it.each([
    ["ngx.exec('')", "The uri argument is empty"],
    ["ngx.exec('/a/../b')", "unsafe uri"],
    ["ngx.exec('/a/%2e%2e/b')", "unsafe uri"],
    ["ngx.exec('?a')", "unsafe uri"],
    [
      "ngx.exec('/a', true)",
      "bad argument #2 to 'exec' (string, number, or table expected, but got boolean)",
    ],
    ["ngx.exec()", "expecting one or two arguments, but got 0"],
    ["ngx.say('x') ngx.exec('/a')", "attempt to call ngx.exec after sending out response headers"],
  ])("%s raises", async (code, message) => {
    expect((await content(`ngx.print(select(2, pcall(function() ${code} end)))`)).body).toContain(message);
  });
});

describe("ngx.redirect", () => {
  it.each([
    ["ngx.redirect('/foo')", 302],
    ["ngx.redirect('/foo', ngx.HTTP_MOVED_PERMANENTLY)", 301],
    ["ngx.redirect('/foo', 303)", 303],
    ["ngx.redirect('/foo', 307)", 307],
    ["ngx.redirect('/foo', 308)", 308],
  ])("%s", async (code, status) => {
    const answer = await content(`${code} error("not reached")`);
    expect(answer).toMatchObject({ status, errorPage: true, log: [] });
    expect(answer.headers).toEqual(["Location", "/foo"]);
  });

  it.each([
    [
      "ngx.redirect('/a', 404)",
      "only ngx.HTTP_MOVED_TEMPORARILY, ngx.HTTP_MOVED_PERMANENTLY, ngx.HTTP_PERMANENT_REDIRECT, ngx.HTTP_SEE_OTHER, and ngx.HTTP_TEMPORARY_REDIRECT are allowed",
    ],
    ["ngx.redirect()", "expecting one or two arguments"],
    [
      "ngx.redirect('http://x/\\r\\nSet-Cookie: a')",
      'unsafe byte "0x0d" in redirect uri "http://x/\\x0D\\x0ASet-Cookie: a"',
    ],
    ["ngx.say('x') ngx.redirect('/a')", "attempt to call ngx.redirect after sending out the headers"],
  ])("%s raises", async (code, message) => {
    expect((await content(`ngx.print(select(2, pcall(function() ${code} end)))`)).body).toContain(message);
  });
});
