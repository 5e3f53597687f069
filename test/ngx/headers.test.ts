import { describe, expect, it } from "vitest";
import { type Asked, content, createSite, header } from "./site.ts";

const head = async (code: string, asked: Asked = {}) => (await content(code, asked)).headers;
const print = async (expression: string, asked: Asked = {}) =>
  (await content(`ngx.print(${expression})`, asked)).body;
const failure = async (code: string) =>
  (await content(`ngx.print(select(2, pcall(function() ${code} end)))`)).body;

describe("ngx.header", () => {
  it.each([
    ["ngx.header.x_my_header = 'v'", ["Content-Type", "text/plain", "x-my-header", "v"]],
    [
      "ngx.header['X-A'] = 5 ngx.header['X-B'] = true",
      ["Content-Type", "text/plain", "X-A", "5", "X-B", "true"],
    ],
    [
      "ngx.header.content_type = 'application/json; charset=utf-8'",
      ["Content-Type", "application/json; charset=utf-8"],
    ],
    ["ngx.header.content_type = nil", []],
    ["ngx.header.content_type = {'a/b', 'c/d'}", ["Content-Type", "c/d"]],
    [
      "ngx.header['Set-Cookie'] = {'a=1', 'b=2'}",
      ["Content-Type", "text/plain", "Set-Cookie", "a=1", "Set-Cookie", "b=2"],
    ],
    [
      "ngx.header.a = {'1', '2'} ngx.header.b = 'b' ngx.header.A = '3'",
      ["Content-Type", "text/plain", "A", "3", "b", "b"],
    ],
    ["ngx.header.a = '1' ngx.header.A = nil", ["Content-Type", "text/plain"]],
    ["ngx.header.a = '1' ngx.header.a = {}", ["Content-Type", "text/plain"]],
    ["ngx.header.a = '1' ngx.header.a = ''", ["Content-Type", "text/plain"]],
    ["ngx.header.location = {'/a', '/b'}", ["Content-Type", "text/plain", "location", "/b"]],
    ["ngx.header.content_length = 5", ["Content-Type", "text/plain", "content-length", "5"]],
    ["ngx.status = 204", []],
  ])("%s", async (code, lines) => {
    expect(await head(code)).toEqual(lines);
  });

  it("lets no value add a line", async () => {
    expect(await head("ngx.header['a: b\\r\\nc'] = 'v\\r\\nSet-Cookie: x\\0\\t'")).toEqual([
      "Content-Type",
      "text/plain",
      "a%3A%20b%0D%0Ac",
      "v%0D%0ASet-Cookie: x%00\t",
    ]);
  });

  it("is read back in any spelling", async () => {
    expect(await print("ngx.header.nope, ngx.header.content_type, ngx.header['Content-Type']")).toBe(
      "niltext/plaintext/plain",
    );
    const { body } = await content(
      "ngx.header['X-Many'] = {'a', 'b'} ngx.header.One = 1 local m = ngx.header.x_many ngx.print(#m, m[1], m[2], ngx.header.one, type(ngx.header.one))",
    );
    expect(body).toBe("2ab1string");
  });

  it("cannot change once the head is out", async () => {
    const answer = await content("ngx.say('x') ngx.header.a = '1'");
    expect(answer.headers).toEqual(["Content-Type", "text/plain"]);
    expect(answer.log[0]).toContain("attempt to set ngx.header.HEADER after sending out response headers");
  });

  it("takes only a number for Content-Length", async () => {
    expect(await failure("ngx.header.content_length = 'abc'")).toContain("failed to set header");
  });
});

describe("ngx.status", () => {
  it("is 0 until it is set, and what was set afterwards", async () => {
    expect(await print("ngx.status")).toBe("0");
    expect(await content("ngx.status = '404' ngx.print(ngx.status)")).toMatchObject({
      status: 404,
      body: "404",
      errorPage: false,
    });
    expect((await content("ngx.say('a') ngx.print(ngx.status)")).body).toBe("a\n200");
  });

  it("refuses what is no status", async () => {
    expect(await failure("ngx.status = 7")).toContain("bad status 7");
    expect(await failure("ngx.status = {}")).toContain("bad status");
  });
});

describe("ngx.resp.get_headers", () => {
  it("has what was set and what nginx adds, in any spelling", async () => {
    const { body } = await content(
      "ngx.header['X-A'] = {'1', '2'} local h = ngx.resp.get_headers() ngx.print(h.x_a, ' ', h['X-A'][2], ' ', h.Content_Type, ' ', h.connection, ' ', h.none)",
    );
    expect(body).toBe("12 2 text/plain keep-alive nil");
  });

  it("is bounded, and keeps the spelling when asked", async () => {
    const { body } = await content(
      "for i = 1, 200 do ngx.header['H' .. i] = i end local h, err = ngx.resp.get_headers() local n = 0 for _ in pairs(h) do n = n + 1 end " +
        "local raw = ngx.resp.get_headers(0, true) ngx.print(n, ' ', err, ' ', raw.H200, ' ', raw.h200)",
    );
    expect(body).toBe("100 truncated 200 nil");
  });
});

describe("ngx.req.get_headers", () => {
  const headers = ["Host", "h", "X-One", "1", "X-Two", "a", "x-two", "b"];

  it.each([
    ["ngx.req.get_headers()['x-one']", "1"],
    ["ngx.req.get_headers().X_One", "1"],
    ["ngx.req.get_headers()['X-TWO']", "ab"],
    ["ngx.req.get_headers().none", "nil"],
    [
      "ngx.req.get_headers(0, true)['X-Two'], ngx.req.get_headers(0, true)['x-two'], ngx.req.get_headers(0, true).x_one",
      "abnil",
    ],
    ["select(2, ngx.req.get_headers())", ""],
    ["select(2, ngx.req.get_headers(2))", "truncated"],
    ["ngx.req.get_headers(2).x_two", "nil"],
    ["ngx.req.get_headers(nil).x_one", "1"],
  ])("%s", async (expression, expected) => {
    expect(await print(expression, { headers })).toBe(expected);
  });

  it("stops at a hundred lines unless told otherwise", async () => {
    const many = Array.from({ length: 150 }, (_, index) => [`H${index}`, "v"]).flat();
    const code = (call: string) =>
      `local h, err = ${call} local n = 0 for _ in pairs(h) do n = n + 1 end ngx.print(n, ' ', err)`;
    expect((await content(code("ngx.req.get_headers()"), { headers: many })).body).toBe("100 truncated");
    expect((await content(code("ngx.req.get_headers(0)"), { headers: many })).body).toBe("150 nil");
  });
});

describe("ngx.req.set_header and clear_header", () => {
  const headers = ["Host", "first.test", "A", "1", "B", "2", "a", "3"];

  it.each([
    ["ngx.req.set_header('a', 'new')", "new|2"],
    ["ngx.req.set_header('A', {'x', 'y'})", "xy|2"],
    ["ngx.req.set_header('a', nil)", "nil|2"],
    ["ngx.req.set_header('a', {})", "nil|2"],
    ["ngx.req.set_header('a', '')", "nil|2"],
    ["ngx.req.set_header('a', 7)", "7|2"],
    ["ngx.req.clear_header('A')", "nil|2"],
    ["ngx.req.clear_header('none')", "13|2"],
  ])("%s", async (code, expected) => {
    const { body } = await content(`${code} local h = ngx.req.get_headers() ngx.print(h.a, '|', h.b)`, {
      headers,
    });
    expect(body).toBe(expected);
  });

  it("changes what variables say, and not what the client sent", async () => {
    const { body } = await content(
      "ngx.req.set_header('Host', 'Second.Test:81') ngx.req.set_header('x-new', 'n') ngx.print(ngx.var.host, ' ', ngx.var.http_host, ' ', ngx.var.http_x_new, '\\n', ngx.req.raw_header(true))",
      { headers },
    );
    expect(body).toBe("second.test Second.Test:81 n\nHost: first.test\r\nA: 1\r\nB: 2\r\na: 3\r\n\r\n");
  });

  it("counts its arguments", async () => {
    expect(await failure("ngx.req.set_header('a')")).toContain("expecting two arguments, but seen 1");
    expect(await failure("ngx.req.clear_header()")).toContain("expecting one arguments, but seen 0");
  });
});

describe("requests do not see each other's", () => {
  it("headers and status", async () => {
    const site = createSite({
      "/": {
        content:
          "ngx.header.id = ngx.var.arg_id ngx.status = 200 + ngx.var.arg_id ngx.sleep(0.001) ngx.print(ngx.header.id, ngx.status)",
      },
    });
    const answers = await Promise.all(["1", "2", "3"].map((id) => site.ask({ target: `/?id=${id}` })));
    expect(answers.map((answer) => [answer.status, header(answer, "id"), answer.body])).toEqual([
      [201, ["1"], "1201"],
      [202, ["2"], "2202"],
      [203, ["3"], "3203"],
    ]);
  });
});
