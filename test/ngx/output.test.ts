import { describe, expect, it } from "vitest";
import { content, createSite, header } from "./site.ts";

describe("ngx.say and ngx.print", () => {
  it.each([
    ["ngx.say('hello')", "hello\n"],
    ["ngx.print('hello')", "hello"],
    ["ngx.say()", "\n"],
    ["ngx.print('a', 1, true, false, nil, ngx.null, 'b')", "a1truefalsenilnullb"],
    [
      "ngx.print(1.0, ' ', 1.5, ' ', -0.0, ' ', 2^53, ' ', 1e15, ' ', 2^60)",
      "1 1.5 0 9007199254740992 1000000000000000 1152921504606846976",
    ],
    ["ngx.print(1/3, ' ', 1e100)", "0.33333333333333 1e+100"],
    ["ngx.print({'a', {'b', 2, {true}}, ngx.null}, 'c')", "ab2truenullc"],
    ["ngx.print({[3] = 'c', [1] = 'a'})", "anilc"],
    ["ngx.print('\\0\\255')", "\0\xff"],
    ["ngx.print(string.rep('x', 3)) ngx.print({}) ngx.say('y')", "xxxy\n"],
    ["ngx.print((ngx.say('a')))", "a\n1"],
    ["local t = setmetatable({}, {__index = function() return 'x' end}) ngx.print(t)", ""],
  ])("%s", async (code, body) => {
    const answer = await content(code);
    expect(answer).toMatchObject({ status: 200, body, log: [], messages: ["response", "done"] });
  });

  it.each([
    [
      "ngx.say(print)",
      "bad argument #1 to 'say' (string, number, boolean, nil, ngx.null, or array table expected, but got function)",
    ],
    [
      "ngx.print('a', coroutine.create(print))",
      "bad argument #2 to 'print' (string, number, boolean, nil, ngx.null, or array table expected, but got thread)",
    ],
    ["ngx.say({a = 1})", "bad argument #1 to 'say' (non-array table found)"],
    ["ngx.say({1, {[0] = 1}})", "bad argument #1 to 'say' (non-array table found)"],
    ["ngx.say({1, print})", "bad argument #1 to 'say' (bad data type function found)"],
    ["local t = {} t[1] = t ngx.say(t)", "bad argument #1 to 'say' (table nested too deeply)"],
  ])("%s raises", async (code, message) => {
    const { body } = await content(`ngx.print(select(2, pcall(function() ${code} end)))`);
    expect(body.replace(/^content_by\(\/\):1: /, "")).toBe(message);
  });

  it("takes strings as they are at that moment and sends one message for a small response", async () => {
    const answer = await content("for i = 1, 1000 do ngx.print(i, ',') end");
    expect(answer.body).toBe(Array.from({ length: 1000 }, (_, index) => `${index + 1},`).join(""));
    expect(answer.messages).toEqual(["response", "done"]);
  });

  it("hands over what exceeds its buffer while the handler still runs", async () => {
    const answer = await content("for _ = 1, 5 do ngx.print(string.rep('x', 40000)) end");
    expect(answer.body.length).toBe(200_000);
    expect(answer.messages).toEqual([
      "head",
      "data:80000 bytes",
      "data:80000 bytes",
      "data:40000 bytes",
      "finish",
      "done",
    ]);
  });

  it("answers 200 with nginx's default type and no body when the handler writes nothing", async () => {
    const answer = await content("local _ = 1");
    expect(answer).toMatchObject({ status: 200, body: "", errorPage: false });
    expect(answer.headers).toEqual(["Content-Type", "text/plain"]);
  });
});

describe("ngx.flush", () => {
  it("has nothing to do before there is output", async () => {
    expect((await content("ngx.print(select(2, ngx.flush()))")).body).toBe("nothing to flush");
    expect((await content("ngx.send_headers() ngx.print(select(2, ngx.flush()))")).body).toBe(
      "nothing to flush",
    );
  });

  it("sends what was written, waiting or not", async () => {
    const answer = await content(
      "ngx.print('a') ngx.print(ngx.flush()) ngx.print(ngx.flush(true)) ngx.print('c')",
    );
    expect(answer.messages).toEqual(["head", "data:a", "data:1", "data:1c", "finish", "done"]);
  });

  it("lets other requests run while it waits", async () => {
    const site = createSite({
      "/a": {
        content:
          "ngx.print('a') order = nil ngx.flush(true) _G.order = (_G.order or '') .. 'a' ngx.print(_G.order)",
      },
      "/b": { content: "_G.order = (_G.order or '') .. 'b' ngx.print(_G.order)" },
    });
    const first = site.start({ target: "/a" });
    expect((await site.ask({ target: "/b" })).body).toBe("b");
    expect((await first.done).body).toBe("aba");
  });

  it("does nothing for HTTP/1.0, which is buffered", async () => {
    const answer = await content("ngx.print('a') ngx.print(select(2, ngx.flush(true)))", {
      request: { httpVersion: "1.0" },
    });
    expect(answer).toMatchObject({ body: "abuffering", messages: ["response", "done"] });
  });

  it("checks its arguments", async () => {
    const { body } = await content(
      "ngx.print(select(2, pcall(ngx.flush, true, 1)), select(2, pcall(ngx.flush, 1)))",
    );
    expect(body).toContain("attempt to pass 2 arguments, but accepted 0 or 1");
    expect(body).toContain("bad argument #1 to 'ngx.flush' (boolean expected, got number)");
  });
});

describe("ngx.eof", () => {
  it("ends the response while the handler goes on", async () => {
    const answer = await content(
      "ngx.print('a') local ok = ngx.eof() ngx.log(ngx.ERR, tostring(ok), ' ', select(2, ngx.say('b')), ' ', select(2, ngx.eof()), ' ', select(2, ngx.flush()))",
    );
    expect(answer.body).toBe("a");
    expect(answer.messages).toEqual(["response", "done"]);
    expect(answer.log[0]).toContain("1 seen eof seen eof seen eof");
  });

  it("sends the response before the handler is over", async () => {
    const site = createSite({
      "/": { content: "ngx.print('a') ngx.eof() ngx.sleep(0.001) _G.after = true" },
    });
    const { answer, done } = site.start();
    expect(answer.messages).toEqual(["response"]);
    await done;
    expect(site.chunk("return after")).toBe("true");
  });

  it("takes no argument", async () => {
    expect((await content("ngx.print(select(2, pcall(ngx.eof, 1)))")).body).toContain(
      "no argument is expected",
    );
  });
});

describe("ngx.send_headers", () => {
  it("makes the head final", async () => {
    const answer = await content(
      "ngx.status = 201 ngx.print(tostring(ngx.headers_sent)) ngx.send_headers() ngx.print(tostring(ngx.headers_sent)) ngx.status = 500",
    );
    expect(answer).toMatchObject({ status: 201, body: "falsetrue" });
    expect(answer.log[0]).toContain("attempt to set ngx.status after sending out response headers");
  });
});

describe("phases that may not write", () => {
  it.each(["say", "print", "flush", "eof", "send_headers", "exec", "redirect"])("ngx.%s", async (name) => {
    const site = createSite({
      "/": {
        content: "ngx.say('body')",
        header_filter: `ngx.header.x = select(2, pcall(ngx.${name}${name === "exec" || name === "redirect" ? ", '/a'" : ""}))`,
        log: `ngx.log(ngx.ERR, select(2, pcall(ngx.${name}${name === "exec" || name === "redirect" ? ", '/a'" : ""})))`,
      },
    });
    const answer = await site.ask();
    expect(header(answer, "x")[0]).toMatch(/API disabled in the context of header_filter_by_lua\*$/);
    expect(site.log[0]?.message).toMatch(/API disabled in the context of log_by_lua\*$/);
  });
});
