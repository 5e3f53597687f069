/** The guide to nginx: its configuration runs as it stands, its tables name what there is. */

import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { itWithDebian } from "../debian.ts";
import { lualib, Nginx, nginxParts } from "../support/nginx.ts";
import { blocksOf, codeSpans, readDocument, repository, rowsBelow } from "./markdown.ts";

const file = "docs/nginx.md";
const guide = readDocument(file);
const configuration = blocksOf(guide, file).find(({ language }) => language === "nginx")?.text ?? "";
const library = readFileSync(join(repository, "lualib/resty/relua.lua"), "utf8");
const location = readFileSync(join(repository, "lualib/resty/relua/location.lua"), "utf8");

let nginx: Nginx | undefined;
afterEach(async () => {
  await nginx?.end();
  nginx = undefined;
});

describe("the configuration", () => {
  itWithDebian("runs as it stands, and lets in who has the token", nginxParts, async () => {
    const [, main, http] = /^(.*)^http \{\n(.*)^\}$/ms.exec(configuration) ?? [];
    const inPlace = (http ?? "")
      // The support file writes the path, since a directive may not stand twice.
      .replace(/^ *lua_package_path .*$/m, "")
      .replaceAll(
        /listen ([\d.:]+);/g,
        (_, address: string) => `listen unix:PREFIX/${address.split(":").at(-1)};`,
      );
    expect(http).toContain("/srv/app/lua/?.lua");
    nginx = await Nginx.start({
      files: {
        "app/init.lua": "local c = require 'app.config' return { run = function() ngx.print('app ', c) end }",
        "app/config.lua": "return 'configured'",
      },
      main: main ?? "",
      http: inPlace,
      env: { RELUA_TOKEN: "secret" },
    });
    expect(lualib).toBe(join(repository, "lualib"));
    expect(await askUnix(nginx.tree.path("8080"), "/")).toBe("200 app configured");
    expect(await askUnix(nginx.tree.path("8089"), "/relua")).toMatch(/^401 /);
    expect(await askUnix(nginx.tree.path("8089"), "/relua", "secret")).toMatch(/^200 \{"version":1,/);
    expect(nginx.log).not.toMatch(/\[(warn|error|emerg)\]/);
  });
});

describe("the tables", () => {
  const spansOf = (heading: string, column: string) => {
    const names = rowsBelow(guide, heading).map(([first = ""]) => codeSpans(first)[0]?.replace(/\(.*/, ""));
    return names.filter((name) => name !== undefined && new RegExp(column).test(name)).sort();
  };

  it("name every function and every option of the library", () => {
    const functions = [...library.matchAll(/^(?:function )?M\.(\w+)/gm)].map(([, name]) => name);
    const defaults = [...(/defaults = \{(.*)\}/.exec(library)?.[1] ?? "").matchAll(/(\w+) =/g)];
    const options = [...defaults.map(([, name]) => name), "token"];
    expect(spansOf("The library", ".")).toEqual([...functions, ...options].sort());
  });

  it("and the prose name every code that the location answers with", () => {
    const [, prose = ""] = guide.split("## Over HTTP");
    const codes = [...location.matchAll(/refuse\(\d+, "([\w-]+)"/g)].map(([, code]) => code);
    for (const code of codes) expect(codeSpans(prose)).toContain(code);
    expect(codes.length).toBeGreaterThan(5);
  });
});

function askUnix(socketPath: string, path: string, token?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const asking = request({ socketPath, path, headers, agent: false }, (response) => {
      let text = `${response.statusCode} `;
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => resolve(text));
    });
    asking.on("error", reject);
    asking.end();
  });
}
