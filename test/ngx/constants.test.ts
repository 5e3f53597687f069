import { describe, expect, it } from "vitest";
import { openConfig } from "../../src/ngx/config.ts";
import { openConstants } from "../../src/ngx/constants.ts";
import { openNull } from "../../src/ngx/null.ts";
import { openWorker } from "../../src/ngx/worker.ts";
import { luaWithNgx } from "./lua.ts";

describe("constants", () => {
  it("have nginx's numbers", () => {
    const { run } = luaWithNgx([openConstants]);
    expect(run("return ngx.OK, ngx.ERROR, ngx.AGAIN, ngx.DONE, ngx.DECLINED")).toEqual([
      "0",
      "-1",
      "-2",
      "-4",
      "-5",
    ]);
    expect(run("return ngx.HTTP_GET, ngx.HTTP_POST, ngx.HTTP_TRACE")).toEqual(["2", "8", "32768"]);
    expect(
      run("return ngx.HTTP_OK, ngx.HTTP_MOVED_TEMPORARILY, ngx.HTTP_CLOSE, ngx.HTTP_TOO_MANY_REQUESTS"),
    ).toEqual(["200", "302", "444", "429"]);
  });
});

describe("ngx.null", () => {
  it("is true, equals itself alone, and shows as LuaJIT shows it", () => {
    const { run } = luaWithNgx([openNull]);
    expect(run("return tostring(ngx.null), type(ngx.null), ngx.null and 'true', ngx.null == nil")).toEqual([
      "userdata: NULL",
      "userdata",
      "true",
      "false",
    ]);
    expect(
      run(
        "local t = {[ngx.null] = 1} return t[ngx.null], ngx.null == ngx.null, getmetatable(ngx.null) or 'none'",
      ),
    ).toEqual(["1", "true", "none"]);
  });
});

describe("ngx.worker", () => {
  it("is the VM", () => {
    let exiting = false;
    const { run } = luaWithNgx([openWorker], { workerId: 3, workerCount: 4, exiting: () => exiting });
    expect(run("return ngx.worker.id(), ngx.worker.count(), ngx.worker.pid()")).toEqual([
      "3",
      "4",
      String(process.pid),
    ]);
    expect(run("return ngx.worker.exiting()")).toEqual(["false"]);
    exiting = true;
    expect(run("return ngx.worker.exiting()")).toEqual(["true"]);
  });
});

describe("ngx.config", () => {
  it("tells what programs ask", () => {
    const { run } = luaWithNgx([openConfig], { prefix: "/srv/ä" });
    expect(run("return ngx.config.prefix()")).toEqual([Buffer.from("/srv/ä/").toString("latin1")]);
    expect(
      run(
        "return ngx.config.subsystem, ngx.config.debug, ngx.config.nginx_version > 1009000, ngx.config.ngx_lua_version >= 10000, ngx.config.nginx_configure()",
      ),
    ).toEqual(["http", "false", "true", "true", ""]);
  });
});
