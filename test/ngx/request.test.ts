import { describe, expect, it } from "vitest";
import { type Asked, content, createSite } from "./site.ts";

const print = async (expression: string, asked: Asked = {}) =>
  (await content(`ngx.print(${expression})`, asked)).body;
const failure = async (code: string, asked: Asked = {}) =>
  (await content(`ngx.print(select(2, pcall(function() ${code} end)))`, asked)).body;

describe("the request line", () => {
  it.each([
    ["ngx.req.get_method()", "PUT"],
    ["ngx.req.http_version()", "1.1"],
    ["ngx.req.is_internal()", "false"],
    ["ngx.req.raw_header()", "PUT /a?b=1 HTTP/1.1\r\nHost: h\r\n\r\n"],
    ["ngx.req.raw_header(true)", "Host: h\r\n\r\n"],
    ["math.abs(ngx.now() - ngx.req.start_time()) < 60", "true"],
  ])("%s", async (expression, expected) => {
    expect(
      await print(expression, {
        method: "PUT",
        target: "/a?b=1",
        headers: ["Host", "h"],
        request: { uri: "/" },
      }),
    ).toBe(expected);
  });

  it("set_method takes the HTTP constants", async () => {
    const { body } = await content(
      "ngx.req.set_method(ngx.HTTP_POST) ngx.print(ngx.req.get_method(), ngx.var.request_method)",
    );
    expect(body).toBe("POSTPOST");
    expect(await failure("ngx.req.set_method('POST')")).toContain("bad method number");
    expect(await failure("ngx.req.set_method(3)")).toContain("unsupported HTTP method: 3");
  });

  it("http_version 1.0 is a number", async () => {
    expect(await print("ngx.req.http_version() == 1.0", { request: { httpVersion: "1.0" } })).toBe("true");
  });

  it.each([
    ["ngx.req.set_uri('')", "attempt to use zero-length uri"],
    ["ngx.req.set_uri()", "expecting 1 or 2 or 3 arguments but seen 0"],
    ["ngx.req.set_uri('/a\\0')", 'unsafe byte "0x00" in uri "/a\\x00"'],
    ["ngx.req.set_uri('/a', 1)", "boolean expected, got number"],
  ])("%s raises", async (code, message) => {
    expect(await failure(code)).toContain(message);
  });

  it("set_uri takes any byte when told it is binary", async () => {
    expect((await content("ngx.req.set_uri('/a\\1', false, true) ngx.print(ngx.var.uri)")).body).toBe(
      "/a\x01",
    );
  });
});

describe("query arguments", () => {
  const all = (call: string) =>
    `local names, args, err = {}, ${call} for k in pairs(args) do names[#names + 1] = k end table.sort(names) ` +
    "for _, k in ipairs(names) do local v = args[k] if type(v) == 'table' then v = '{' .. table.concat(v, ',') .. '}' end ngx.print(k, '=', v, ';') end ngx.print(err)";

  it.each([
    ["/", "nil"],
    ["/?a=1&b=&c&a=2", "a={1,2};b=;c=true;nil"],
    ["/?a%20b=1%61+b&=x&&", "a b=1a b;nil"],
    ["/?a=b=c", "a=b=c;nil"],
  ])("%s", async (target, expected) => {
    expect((await content(all("ngx.req.get_uri_args()"), { target })).body).toBe(expected);
    expect((await content(all("ngx.req.get_query_args()"), { target })).body).toBe(expected);
  });

  it("are bounded to 100, to what is asked, or not at all", async () => {
    const target = `/?${Array.from({ length: 150 }, (_, index) => `a${index}=1`).join("&")}`;
    const count = (max: string) =>
      content(
        `local a, err = ngx.req.get_uri_args(${max}) local n = 0 for _ in pairs(a) do n = n + 1 end ngx.print(n, ' ', err)`,
        { target },
      );
    expect((await count("")).body).toBe("100 truncated");
    expect((await count("7")).body).toBe("7 truncated");
    expect((await count("0")).body).toBe("150 nil");
  });

  it("fill a table that is given", async () => {
    const { body } = await content(
      "local t = {old = 1} local a = ngx.req.get_uri_args(10, t) ngx.print(a == t, t.old, t.x, t.y[2])",
      { target: "/?x=1&y=2&y=3" },
    );
    expect(body).toBe("truenil13");
  });

  it.each([
    ["'a=1&b=2'", "a=1&b=2"],
    ["{a = 'x y'}", "a=x%20y"],
    ["{a = {1, 2}}", "a=1&a=2"],
    ["7", "7"],
    ["''", ""],
  ])("set_uri_args(%s)", async (value, expected) => {
    expect((await content(`ngx.req.set_uri_args(${value}) ngx.print(ngx.var.args)`)).body).toBe(expected);
  });

  it("set_uri_args checks what it is given", async () => {
    expect(await failure("ngx.req.set_uri_args(nil)")).toContain(
      "string, number, or table expected, but got nil",
    );
    expect(await failure("ngx.req.set_uri_args()")).toContain("expecting 1 argument but seen 0");
  });
});

describe("the body", () => {
  const post: Asked = { method: "POST", body: "a=1&b=x+y&a=%32", headers: ["Content-Length", "15"] };

  it("is there after read_body only", async () => {
    expect(await print("ngx.req.get_body_data()", post)).toBe("nil");
    expect(
      (
        await content(
          "ngx.req.read_body() ngx.print(ngx.req.get_body_data(), ngx.var.request_body, ngx.req.get_body_file())",
          post,
        )
      ).body,
    ).toBe(`${post.body}${post.body}nil`);
    expect((await content("ngx.req.read_body() ngx.print(ngx.req.get_body_data())")).body).toBe("nil");
  });

  it("as arguments", async () => {
    const { body } = await content(
      "ngx.req.read_body() local a = ngx.req.get_post_args() ngx.print(a.a[1], a.a[2], a.b)",
      post,
    );
    expect(body).toBe("12x y");
    expect(
      (await content("ngx.req.read_body() ngx.print(select(2, ngx.req.get_post_args(1)))", post)).body,
    ).toBe("truncated");
    expect(await failure("ngx.req.get_post_args()", post)).toContain(
      "no request body found; maybe you should turn on lua_need_request_body?",
    );
  });

  it("can be discarded", async () => {
    const { body } = await content(
      "ngx.req.discard_body() ngx.req.read_body() ngx.print(ngx.req.get_body_data(), next(ngx.req.get_post_args()))",
      post,
    );
    expect(body).toBe("nilnil");
    expect(await failure("ngx.req.discard_body() ngx.req.set_body_data('x')", post)).toContain(
      "request body already discarded asynchronously",
    );
  });

  it("can be replaced, with its length", async () => {
    const { body } = await content(
      "ngx.req.read_body() ngx.req.set_body_data('new') ngx.print(ngx.req.get_body_data(), ngx.var.content_length)",
      post,
    );
    expect(body).toBe("new3");
    expect(await failure("ngx.req.set_body_data('x')", post)).toContain("request body not read yet");
  });

  it("can be built anew", async () => {
    const { body } = await content(
      "ngx.req.read_body() ngx.req.init_body() for i = 1, 3 do ngx.req.append_body('p' .. i) end ngx.req.finish_body() ngx.print(ngx.req.get_body_data(), ngx.var.http_content_length)",
      post,
    );
    expect(body).toBe("p1p2p36");
    expect(await failure("ngx.req.append_body('x')")).toContain("request_body not initialized");
    expect(await failure("ngx.req.finish_body()")).toContain("request_body not initialized");
    expect(await failure("ngx.req.init_body()")).toContain("request body not read yet");
  });

  it("keeps every byte", async () => {
    const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
    expect(
      (await content("ngx.req.read_body() ngx.print(ngx.req.get_body_data())", { body: bytes })).body,
    ).toBe(bytes);
  });
});

describe("ngx.ctx", () => {
  it("is one table through all phases of a request, and another for each request", async () => {
    const site = createSite({
      "/": {
        rewrite: "ngx.ctx.n = (ngx.ctx.n or 0) + 1",
        content: "ngx.ctx.n = ngx.ctx.n + 1 ngx.print(ngx.ctx.n)",
      },
    });
    expect((await site.ask()).body).toBe("2");
    expect((await site.ask()).body).toBe("2");
  });

  it("can be replaced by a table, by nothing else", async () => {
    expect((await content("ngx.ctx = {a = 1} ngx.print(ngx.ctx.a)")).body).toBe("1");
    expect(await failure("ngx.ctx = 1")).toContain("ctx should be a table while getting a number");
  });
});

describe("the API table", () => {
  it("is one under two names, required or global", async () => {
    expect(await print("ngx == njt, package.loaded.ngx == ngx, package.loaded.njt == ngx")).toBe(
      "truetruetrue",
    );
  });

  it("takes fields of the user's own", async () => {
    expect((await content("ngx.mine = 5 ngx.print(ngx.mine, ngx.unknown)")).body).toBe("5nil");
  });

  it("knows no subrequests and no client aborts", async () => {
    expect(await print("ngx.is_subrequest, ngx.on_abort(print)")).toBe(
      "falsenillua_check_client_abort is off",
    );
  });
});

describe("outside of a request", () => {
  const calls = [
    "ngx.say(1)",
    "ngx.exit(0)",
    "ngx.req.get_headers()",
    "local _ = ngx.ctx",
    "local _ = ngx.status",
    "ngx.status = 1",
    "local _ = ngx.var.uri",
    "local _ = ngx.header.a",
    "ngx.req.read_body()",
    "local _ = ngx.is_subrequest",
    "ngx.redirect('/')",
  ];

  it.each(calls)("%s: no request found", (call) => {
    expect(createSite({}).chunk(call)).toMatch(/no request found$/);
  });

  it.each(calls.filter((call) => call !== "ngx.exit(0)"))("in a timer, %s: API disabled", async (call) => {
    const { Surroundings } = await import("../../src/ngx/exchange.ts");
    expect(createSite({}).chunk(call, new Surroundings("timer"))).toMatch(
      /API disabled in the (current context|context of ngx\.timer)$/,
    );
  });

  it("ngx.get_phase says where, and ngx.exit ends a timer", async () => {
    const { Surroundings } = await import("../../src/ngx/exchange.ts");
    const site = createSite({});
    expect(site.chunk("return ngx.get_phase()")).toBe("init");
    for (const phase of ["init", "init_worker", "timer"] as const) {
      expect(site.chunk("return ngx.get_phase()", new Surroundings(phase))).toBe(phase);
    }
    expect(site.chunk("ngx.exit(ngx.OK) error('not reached')", new Surroundings("timer"))).toBe("exited");
  });
});
