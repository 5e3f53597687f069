/** The servers document: addresses, location patterns and the schema that both the config and the API use. */

import { describe, expect, it } from "vitest";
import {
  configServerSchema,
  formatListen,
  isLoopback,
  parseListen,
  parseLocationPattern,
  serversDocumentSchema,
} from "../../src/core/servers.ts";

describe("an address", () => {
  it.each([
    ["127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1:8080"],
    ["8080", "0.0.0.0", 8080, "0.0.0.0:8080"],
    ["*:80", "0.0.0.0", 80, "0.0.0.0:80"],
    ["[::1]:80", "::1", 80, "[::1]:80"],
    ["[::]:0", "::", 0, "[::]:0"],
    ["localhost:80", "localhost", 80, "localhost:80"],
  ])("%s", (text, host, port, canonical) => {
    expect(parseListen(text)).toEqual({ host, port });
    expect(formatListen(parseListen(text))).toBe(canonical);
    expect(parseListen(canonical)).toEqual({ host, port });
  });

  it.each([
    "",
    "65536",
    "127.0.0.1",
    "127.0.0.1:",
    "300.0.0.1:80",
    "1.2.3:80",
    "::1:80",
    "[1]:80",
    "a b:80",
    "-1",
    "80 ",
    "unix:/x",
  ])("is not %j", (text) => {
    expect(() => parseListen(text)).toThrow(/is no address/);
  });

  it("is loopback when only this machine reaches it", () => {
    for (const text of ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "LOCALHOST:1"]) {
      expect(isLoopback(parseListen(text)), text).toBe(true);
    }
    for (const text of [
      "8080",
      "*:1",
      "[::]:1",
      "10.0.0.1:1",
      "127.0.0.1.example.com:1",
      "localhost.evil.com:1",
    ]) {
      expect(isLoopback(parseListen(text)), text).toBe(false);
    }
  });
});

describe("a location pattern", () => {
  it.each([
    ["/x", { kind: "prefix", path: "/x", final: false }],
    ["^~ /x", { kind: "prefix", path: "/x", final: true }],
    ["= /x", { kind: "exact", path: "/x" }],
    ["=/x", { kind: "exact", path: "/x" }],
    ["~ \\.lua$", { kind: "regex", regex: /\.lua$/ }],
    ["~* ^/a b$", { kind: "regex", regex: /^\/a b$/i }],
    ["@name", { kind: "named", name: "@name" }],
  ])("%s", (text, pattern) => {
    expect(parseLocationPattern(text)).toEqual(pattern);
  });

  it.each(["", "x", "= x", "~", "~*", "@", "^~", "== /x", "~ (", "= @name"])("is not %j", (text) => {
    expect(() => parseLocationPattern(text)).toThrow();
  });
});

describe("the document", () => {
  const server = (locations: readonly unknown[]) => ({ listens: ["8080"], serverNames: [""], locations });
  const problems = (document: unknown) =>
    serversDocumentSchema
      .safeParse(document)
      .error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);

  it("takes NJet's example, nested locations and every phase", () => {
    const lua = {
      content_by: "ngx.say(1)",
      access_by_file: "a.lua",
      log_by: "",
      header_filter_by: "x",
      body_filter_by: "y",
    };
    const document = {
      servers: [
        server([{ location: "/x", lua, locations: [{ location: "= /x/y", lua: {} }] }, { location: "/y" }]),
      ],
    };
    expect(serversDocumentSchema.parse(document)).toEqual(document);
  });

  it("names what is unknown, missing or of a wrong type", () => {
    expect(problems({ servers: [server([{ location: "/x", lua: { contentby: "" } }])] })).toEqual([
      "servers.0.locations.0.lua: did you mean content_by?",
    ]);
    expect(problems({ servers: [{ listens: ["8080"], locations: [] }] })).toEqual([
      "servers.0.serverNames: it takes a list of names",
    ]);
    expect(problems({ servers: [server([{ location: 4 }])] })).toEqual([
      "servers.0.locations.0.location: it takes a location such as /prefix or = /exact",
    ]);
    expect(problems({})).toEqual(["servers: it takes a list of servers"]);
    expect(problems([])).toEqual([": it takes an object of servers"]);
  });

  it("refuses text and file for one phase, also beside another mistake", () => {
    const lua = { content_by: "x", content_by_file: "y", access_by: 4 };
    expect(problems({ servers: [server([{ location: "/x", lua }])] })).toEqual([
      "servers.0.locations.0.lua.access_by: it takes Lua source text",
      "servers.0.locations.0.lua.content_by_file: it takes content_by or content_by_file, not both",
    ]);
  });

  it("may leave out names and locations in the config file", () => {
    expect(configServerSchema.parse({ listens: ["8080"] })).toEqual(server([]));
  });
});
