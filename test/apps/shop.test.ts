import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { openArguments } from "../../src/ngx/arguments.ts";
import { openCjson } from "../../src/ngx/cjson.ts";
import { openNull } from "../../src/ngx/null.ts";
import { type LuaWithNgx, luaWithNgx } from "../ngx/lua.ts";

const apps = resolve(import.meta.dirname, "../../apps");
const path = `package.path = "${apps}/?.lua;${apps}/?/init.lua"`;

/** What the shop needs of a request, in Lua: `request(method, uri, query)` returns status and body. */
const requests = `
  function request(method, uri, query)
    local body = {}
    ngx.var = {uri = uri}
    ngx.status, ngx.header = 200, {}
    ngx.req = {get_method = function() return method end, get_uri_args = function() return ngx.decode_args(query) end}
    ngx.say = function(text) body[#body + 1] = text end
    require("shop").handle()
    return ngx.status, ngx.header.content_type, table.concat(body)
  end`;

let lua: LuaWithNgx;
beforeEach(() => {
  lua = luaWithNgx([openNull, openArguments, openCjson]);
  lua.run(path);
  lua.run(requests);
});

function get(uri: string, query = "", method = "GET"): { status: number; body: unknown } {
  const [status, type, body] = lua.run("return request(...)", method, uri, query) as [string, string, string];
  expect(type).toBe("application/json");
  return { status: Number(status), body: JSON.parse(body) };
}

describe("apps/shop", () => {
  it("lists what there is", () => {
    expect(get("/shop/items")).toEqual({
      status: 200,
      body: {
        items: [
          { name: "coffee", cents: 790 },
          { name: "pot", cents: 2450 },
          { name: "tea", cents: 495 },
        ],
      },
    });
  });

  it("says what it costs, tax and discount included", () => {
    const one = { item: "tea", qty: 1, discount_cents: 0, net_cents: 495, tax_cents: 94, total_cents: 589 };
    expect(get("/shop/price", "item=tea")).toEqual({ status: 200, body: one });
    const ten = {
      item: "tea",
      qty: 10,
      discount_cents: 247,
      net_cents: 4703,
      tax_cents: 894,
      total_cents: 5597,
    };
    expect(get("/shop/price", "item=tea&qty=10")).toEqual({ status: 200, body: ten });
  });

  it.each([
    ["/shop/price", "item=gold", 404],
    ["/shop/price", "", 404],
    ["/shop/price", "item=tea&item=pot", 404],
    ["/shop/price", "item=tea&qty=0", 400],
    ["/shop/price", "item=tea&qty=1.5", 400],
    ["/shop/price", "item=tea&qty=many", 400],
    ["/shop/price", "item=tea&qty", 400],
    ["/shop/price", "item=tea&qty=1&qty=2", 400],
    ["/shop/nowhere", "", 404],
    ["/shop", "", 404],
  ])("%s?%s is refused with a reason", (uri, query, status) => {
    expect(get(uri, query)).toEqual({ status, body: { error: expect.any(String) } });
  });

  it("answers GET alone", () => {
    expect(get("/shop/items", "", "DELETE").status).toBe(405);
  });

  it("counts on through a reload where it says so, and begins anew where it says so", () => {
    get("/shop/price", "item=tea");
    expect(get("/shop/stats").body).toEqual({ requests: 2, quotes_since_load: 1 });
    // What Relua evicts when shop/tax.lua changes.
    lua.run(
      'for _, n in ipairs{"shop", "shop.routes", "shop.cart", "shop.pricing", "shop.tax"} do package.loaded[n] = nil end',
    );
    expect(get("/shop/stats").body).toEqual({ requests: 3, quotes_since_load: 0 });
  });

  it.skipIf(spawnSync("luajit", ["-v"]).status !== 0)("computes the same on LuaJIT", () => {
    const code =
      'local q = require "shop.cart".quote("pot", 12) return q.net_cents .. " " .. q.tax_cents .. " " .. q.total_cents';
    const script = `${path} print((function() ${code} end)())`;
    expect(spawnSync("luajit", ["-"], { input: script, encoding: "utf8" }).stdout.trim()).toBe(
      lua.run(code)[0],
    );
  });
});
