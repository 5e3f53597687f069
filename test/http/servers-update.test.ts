/** PUT http_lua on the servers document: what it changes, and what it says of what it does not find. */

import { describe, expect, it } from "vitest";
import type { LocationDocument, ServersDocument } from "../../src/core/servers.ts";
import { updateServers } from "../../src/http/servers-update.ts";

const document = (
  locations: readonly LocationDocument[],
  listens = ["80"],
  serverNames = [""],
): ServersDocument => ({
  servers: [{ listens, serverNames, locations }],
});

const current = document([
  { location: "/x", lua: { content_by: "old", access_by: "guard", log_by_file: "log.lua" } },
  { location: "= /y", locations: [{ location: "~  \\.lua$", lua: { content_by: "inner" } }] },
  { location: "/file", lua: { content_by_file: "old.lua" } },
]);

/** The first location's handlers after a PUT of these on it. */
const luaAfter = (location: LocationDocument) =>
  updateServers(current, document([location])).next.servers[0]?.locations.find(
    (each) => each.location === location.location,
  )?.lua;

describe("a listed location", () => {
  it("gets content_by, which clears access_by; files stay", () => {
    expect(luaAfter({ location: "/x", lua: { content_by: "new" } })).toEqual({
      content_by: "new",
      log_by_file: "log.lua",
    });
  });

  it("keeps access_by that is listed with it", () => {
    expect(luaAfter({ location: "/x", lua: { content_by: "new", access_by: "guard" } })).toEqual({
      content_by: "new",
      access_by: "guard",
      log_by_file: "log.lua",
    });
  });

  it("loses its inline handlers to {}", () => {
    expect(luaAfter({ location: "/x", lua: {} })).toEqual({ log_by_file: "log.lua" });
  });

  it("stays as it is without lua", () => {
    const { next, problems, applied } = updateServers(current, document([{ location: "/x" }]));
    expect(next).toEqual(current);
    expect({ problems, applied }).toEqual({ problems: [], applied: 1 });
  });

  it("takes text in the place of a file, and a file in the place of text", () => {
    expect(luaAfter({ location: "/file", lua: { content_by: "text" } })).toEqual({ content_by: "text" });
    expect(luaAfter({ location: "/x", lua: { content_by_file: "new.lua" } })).toEqual({
      content_by_file: "new.lua",
      log_by_file: "log.lua",
    });
  });

  it("is found however its pattern is spaced, also inside another", () => {
    const inner = { location: "~ \\.lua$", lua: { content_by: "changed" } };
    const { next, problems } = updateServers(current, document([{ location: "=/y", locations: [inner] }]));
    expect(problems).toEqual([]);
    expect(next.servers[0]?.locations[1]).toEqual({
      location: "= /y",
      locations: [{ location: "~  \\.lua$", lua: { content_by: "changed" } }],
    });
  });

  it("that is not configured is not created", () => {
    const nope = { location: "/nope", lua: { content_by: "x" }, locations: [{ location: "/nope/in" }] };
    const put = document([nope, { location: "= /y", locations: [{ location: "/in" }] }, { location: "/y" }]);
    const { next, problems, applied } = updateServers(current, put);
    expect(next).toEqual(current);
    expect(problems).toEqual([
      "servers[0.0.0.0:80,].locations[/nope] location not found",
      "servers[0.0.0.0:80,].locations[= /y].locations[/in] location not found",
      "servers[0.0.0.0:80,].locations[/y] location not found",
    ]);
    expect(applied).toBe(1);
  });
});

describe("a server", () => {
  it.each([["80"], ["*:80"], ["0.0.0.0:80"]])("is found by %j", (listen) => {
    expect(updateServers(current, document([], [listen, "9999"], ["", "ignored"])).applied).toBe(1);
  });

  it("is found by any of its addresses and names", () => {
    const two = document([{ location: "/" }], ["127.0.0.1:1", "127.0.0.1:2"], ["a", "Example.com"]);
    const put = document([{ location: "/", lua: { log_by: "l" } }], ["127.0.0.1:2"], ["example.COM"]);
    expect(updateServers(two, put).next.servers[0]?.locations).toEqual([
      { location: "/", lua: { log_by: "l" } },
    ]);
  });

  it("that is not there is named, and the others are done", () => {
    const put = {
      servers: [
        ...document([{ location: "/x", lua: {} }], ["9999"], ["x"]).servers,
        ...document([{ location: "/x", lua: {} }]).servers,
      ],
    };
    const { next, problems, applied } = updateServers(current, put);
    expect(problems).toEqual(["servers[0.0.0.0:9999,x]can not find server."]);
    expect(applied).toBe(1);
    expect(next.servers[0]?.locations[0]?.lua).toEqual({ log_by_file: "log.lua" });
  });
});

it("a document that is put back as it was got changes nothing", () => {
  expect(updateServers(current, current)).toEqual({ next: current, problems: [], applied: 1 });
});
