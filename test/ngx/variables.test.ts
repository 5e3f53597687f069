import { describe, expect, it } from "vitest";
import { type Asked, content, createSite } from "./site.ts";

const asked: Asked = {
  target: "/?A=1&b=x%20y&c&b=2",
  headers: [
    "Host",
    "Example.test:8080",
    "User-Agent",
    "ua",
    "Cookie",
    "a=1; Name=v=w",
    "X-F",
    "1",
    "x-f",
    "2",
    "Authorization",
    "Basic dXNlcjpwYXNz",
  ],
  request: { captures: ["one", "two"] },
};
const print = async (expression: string, more: Asked = {}) =>
  (await content(`ngx.print(${expression})`, { ...asked, ...more })).body;
const failure = async (code: string) =>
  (await content(`ngx.print(select(2, pcall(function() ${code} end)))`, asked)).body;

describe("ngx.var", () => {
  it.each([
    ["uri", "/"],
    ["document_uri", "/"],
    ["request_uri", "/?A=1&b=x%20y&c&b=2"],
    ["args", "A=1&b=x%20y&c&b=2"],
    ["query_string", "A=1&b=x%20y&c&b=2"],
    ["is_args", "?"],
    ["arg_a", "1"],
    ["arg_b", "x%20y"],
    ["arg_c", "nil"],
    ["arg_none", "nil"],
    ["request_method", "GET"],
    ["request", "GET /?A=1&b=x%20y&c&b=2 HTTP/1.1"],
    ["server_protocol", "HTTP/1.1"],
    ["scheme", "http"],
    ["https", ""],
    ["host", "example.test"],
    ["http_host", "Example.test:8080"],
    ["http_user_agent", "ua"],
    ["HTTP_USER_AGENT", "ua"],
    ["http_x_f", "1, 2"],
    ["http_none", "nil"],
    ["cookie_a", "1"],
    ["cookie_name", "v=w"],
    ["cookie_none", "nil"],
    ["server_name", "site.test"],
    ["server_addr", "127.0.0.1"],
    ["server_port", "8080"],
    ["remote_addr", "127.0.0.1"],
    ["remote_port", "40000"],
    ["binary_remote_addr", "\x7f\0\0\x01"],
    ["remote_user", "user"],
    ["connection", "3"],
    ["connection_requests", "2"],
    ["content_type", "nil"],
    ["content_length", "nil"],
    ["request_body", "nil"],
    ["status", "000"],
    ["body_bytes_sent", "0"],
    ["request_completion", ""],
    ["document_root", "/srv/site/html"],
    ["request_filename", "/srv/site/html/"],
    ["nginx_version", "1.25.3"],
    ["pid", String(process.pid)],
    ["unknown", "nil"],
    ["sent_http_x", "nil"],
  ])("%s", async (name, expected) => {
    expect(await print(`ngx.var.${name}`)).toBe(expected);
  });

  it.each([
    ["msec", /^\d+\.\d{3}$/],
    ["request_time", /^\d+\.\d{3}$/],
    ["time_iso8601", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/],
    ["time_local", /^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/],
    ["request_id", /^[0-9a-f]{32}$/],
    ["request_length", /^\d+$/],
    ["hostname", /./],
  ])("%s looks right", async (name, pattern) => {
    expect(await print(`ngx.var.${name}`)).toMatch(pattern);
  });

  it("counts the bytes of the request", async () => {
    const headers = ["Host", "h"];
    const sent = "POST / HTTP/1.1\r\nHost: h\r\n\r\nbody";
    expect(
      await print("ngx.var.request_length", { method: "POST", target: "/", headers, body: "body" }),
    ).toBe(`${sent.length}`);
  });

  it("request_id stays the same through a request", async () => {
    expect(await print("ngx.var.request_id == ngx.var.request_id")).toBe("true");
  });

  it("captures by number or name", async () => {
    expect(await print("ngx.var[1], ngx.var['2'], ngx.var[3], ngx.var[0], ngx.var[-1]")).toBe(
      "onetwonilnilnil",
    );
  });

  it("without a query there are no args", async () => {
    expect(await print("ngx.var.args, ngx.var.is_args, ngx.var.arg_a", { target: "/" })).toBe("nilnil");
  });

  it.each([
    ["request line", { target: "http://Line.test:81/", headers: ["Host", "header.test"] }, "line.test"],
    ["Host header", { headers: ["Host", "Header.Test."] }, "header.test"],
    ["IPv6", { headers: ["Host", "[::1]:80"] }, "[::1]"],
    ["server name", { headers: [] }, "site.test"],
  ])("host comes from the %s", async (_from, more, expected) => {
    expect(await print("ngx.var.host", { ...more, request: { uri: "/" } })).toBe(expected);
  });

  it.each([
    ["::1", `${"\0".repeat(15)}\x01`],
    ["::ffff:10.0.0.1", "\n\0\0\x01"],
    ["2001:db8::a:0", `\x20\x01\x0d\xb8${"\0".repeat(8)}\0\x0a\0\0`],
  ])("binary_remote_addr of %s", async (remoteAddr, expected) => {
    expect(await print("ngx.var.binary_remote_addr", { request: { remoteAddr } })).toBe(expected);
  });

  it("sent_http_* are the response's headers", async () => {
    const { body } = await content(
      "ngx.header.x_y = {'a', 'b'} ngx.send_headers() ngx.print(ngx.var.sent_http_x_y, ' ', ngx.var.sent_http_content_type)",
    );
    expect(body).toBe("a, b text/plain");
  });

  it("args can be written", async () => {
    expect(
      (
        await content(
          "ngx.var.args = 'a=2' ngx.print(ngx.var.arg_a, ngx.var.query_string, ngx.req.get_uri_args().a)",
          asked,
        )
      ).body,
    ).toBe("2a=22");
    expect((await content("ngx.var.args = nil ngx.print(ngx.var.args, ngx.var.is_args)", asked)).body).toBe(
      "nil",
    );
  });

  it.each([
    [
      "ngx.var.x = 1",
      `variable "x" not found for writing; maybe it is a built-in variable that is not changeable or you forgot to use "set $x '';" in the config file to define it first`,
    ],
    ["ngx.var.uri = '/x'", 'variable "uri" not changeable'],
    ["ngx.var.http_host = '/x'", 'variable "http_host" not changeable'],
    ["ngx.var.http_other = '/x'", 'variable "http_other" not found for writing'],
    ["ngx.var[1] = 'x'", "bad variable name"],
    ["ngx.var.args = {}", "string, number, or nil expected, but got table"],
    ["local _ = ngx.var[true]", "bad variable name"],
  ])("%s raises", async (code, message) => {
    expect(await failure(code)).toContain(message);
  });

  it("works in log_by, where the size of the response is known", async () => {
    const site = createSite({
      "/": {
        content: "ngx.say('hello')",
        log: "ngx.log(ngx.ERR, ngx.var.status, ' ', ngx.var.body_bytes_sent)",
      },
    });
    await site.ask();
    expect(site.log[0]?.message).toContain("200 6");
  });
});
