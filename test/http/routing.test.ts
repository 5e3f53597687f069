/** The choice of server and location: nginx's documented rules, as tables and against a plain reading of them. */

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LocationDocument, ServerDocument } from "../../src/core/servers.ts";
import { createRoutes } from "../../src/http/routing.ts";

const listen = "127.0.0.1:80";

function server(
  locations: readonly (string | LocationDocument)[],
  names: readonly string[] = [""],
): ServerDocument {
  return {
    listens: [listen],
    serverNames: names,
    locations: locations.map((location) => (typeof location === "string" ? { location } : location)),
  };
}

describe("the server", () => {
  const names = [
    ["default"],
    ["example.com", "www.example.com"],
    ["*.example.com"],
    ["*.deep.example.com"],
    ["mail.*"],
    ["mail.deep.*"],
    [".dotted.org"],
    ["~^www\\d+\\.Regex\\.net$"],
    ["~regex\\.net$"],
    [""],
    ["*.org"],
  ];
  const routes = createRoutes(names.map((name) => server(["/"], name)));

  it.each([
    ["example.com", "example.com"],
    ["www.example.com", "example.com"],
    ["a.example.com", "*.example.com"],
    ["a.b.example.com", "*.example.com"],
    ["deep.example.com", "*.example.com"],
    ["a.deep.example.com", "*.deep.example.com"],
    ["mail.nowhere", "mail.*"],
    ["mail.deep.nowhere", "mail.deep.*"],
    ["mail.example.com", "*.example.com"],
    ["dotted.org", ".dotted.org"],
    ["a.b.dotted.org", ".dotted.org"],
    ["other.org", "*.org"],
    ["www1.regex.net", "~^www\\d+\\.Regex\\.net$"],
    ["www.regex.net", "~regex\\.net$"],
    ["", ""],
    ["unknown", "default"],
    [".example.com", "default"],
    ["org", "default"],
  ])("for %j is %j", (host, name) => {
    expect(routes.route(listen, host, "/")?.server.name).toBe(name);
    // A second time from memory, and once more after another one.
    expect(routes.route(listen, host, "/")?.server.name).toBe(name);
    routes.route(listen, "example.com", "/");
    expect(routes.route(listen, host, "/")?.server.name).toBe(name);
  });

  it("is the first one of its address where no name fits, and the first one of two alike", () => {
    const other = "10.0.0.1:80";
    const servers = [
      { ...server(["/"], ["a"]), listens: [listen] },
      { ...server(["/"], ["b"]), listens: [listen, other] },
      { ...server(["/x"], ["B"]), listens: ["10.0.0.1:80", "*:81"] },
    ];
    const routes = createRoutes(servers);
    expect(routes.route(listen, "x", "/")?.server.name).toBe("a");
    expect(routes.route(other, "x", "/")?.server.name).toBe("b");
    expect(routes.route(other, "b", "/")?.server.name).toBe("b");
    expect(routes.route("0.0.0.0:81", "b", "/")?.server.name).toBe("B");
    expect(routes.route("0.0.0.0:82", "b", "/")).toBeUndefined();
    expect([...routes.listens.keys()]).toEqual([listen, other, "0.0.0.0:81"]);
  });

  it("has port 0 for itself each time", () => {
    const servers = [server(["/"], ["a"]), server(["/"], ["b"])].map((each) => ({
      ...each,
      listens: ["127.0.0.1:0"],
    }));
    expect([...createRoutes(servers).listens.keys()]).toEqual(["127.0.0.1:0", "127.0.0.1:0#2"]);
  });

  it("is refused with a regex that does not compile", () => {
    expect(() => createRoutes([server(["/"], ["~("])])).toThrow(/server name "~\("/);
  });
});

describe("the location", () => {
  const routes = createRoutes([
    server([
      "= /",
      "/",
      "/documents/",
      "^~ /images/",
      "~* \\.(gif|jpg)$",
      "~ ^/users/(\\w+)/(\\d+)?",
      "~ \\.lua$",
      "= /exact.lua",
      "@named",
      {
        location: "/outer/",
        locations: [{ location: "/outer/inner/" }, { location: "~ ^/outer/(.)\\.gif$" }],
      },
      { location: "^~ /kept/", locations: [{ location: "~ \\.lua$" }] },
      { location: "/open/", locations: [{ location: "^~ /open/kept/" }] },
      { location: "~ ^/re(.)/", locations: [{ location: "/re1/sub" }, { location: "~ (\\d)z$" }] },
    ]),
  ]);
  const route = (uri: string) => routes.route(listen, "", uri);

  it.each([
    // nginx's own example in the documentation of `location`.
    ["/", "= /", []],
    ["/index.html", "/", []],
    ["/documents/document.html", "/documents/", []],
    ["/images/1.gif", "^~ /images/", []],
    ["/documents/1.jpg", "~* \\.(gif|jpg)$", ["jpg"]],
    ["/documents/1.JPG", "~* \\.(gif|jpg)$", ["JPG"]],
    ["/users/ann/12", "~ ^/users/(\\w+)/(\\d+)?", ["ann", "12"]],
    ["/users/ann/", "~ ^/users/(\\w+)/(\\d+)?", ["ann", ""]],
    ["/x.lua", "~ \\.lua$", []],
    ["/x.LUA", "/", []],
    ["/exact.lua", "= /exact.lua", []],
    ["/documents", "/", []],
    ["/outer/x", "/outer/", []],
    ["/outer/inner/x", "/outer/inner/", []],
    ["/outer/a.gif", "~ ^/outer/(.)\\.gif$", ["a"]],
    // A regex of the outer level goes before a prefix further inside.
    ["/outer/inner/a.gif", "~* \\.(gif|jpg)$", ["gif"]],
    ["/kept/a.gif", "^~ /kept/", []],
    ["/kept/a.lua", "~ \\.lua$", []],
    // `^~` further inside does not hold for the level around it.
    ["/open/kept/a.gif", "~* \\.(gif|jpg)$", ["gif"]],
    ["/re1/", "~ ^/re(.)/", ["1"]],
    ["/re1/sub", "/re1/sub", ["1"]],
    ["/re1/5z", "~ (\\d)z$", ["5"]],
  ])("for %j is %j", (uri, pattern, captures) => {
    for (let again = 0; again < 2; again += 1) {
      expect(route(uri)?.location?.pattern).toBe(pattern);
      expect(route(uri)?.captures).toEqual(captures);
    }
  });

  it("is named for @names only, and on the server's level", () => {
    expect(route("@named")?.location?.pattern).toBe("@named");
    expect(route("@nope")?.location).toBeUndefined();
    const nested = createRoutes([server([{ location: "/", locations: [{ location: "@in" }] }])]);
    expect(nested.route(listen, "", "@in")?.location).toBeUndefined();
  });

  it("is missing where none fits", () => {
    expect(createRoutes([server(["/a"])]).route(listen, "", "/b")?.location).toBeUndefined();
  });

  it("has a number of its own, never used again", () => {
    const documents = [server(["/a", { location: "/b", locations: [{ location: "/b/c" }] }]), server(["@x"])];
    const first = createRoutes(documents);
    const second = createRoutes(documents, first.nextId);
    const ids = [...first.locations, ...second.locations].map(({ id }) => id);
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(second.nextId).toBe(9);
  });

  it("inherits the handlers around it, the content handler excepted", () => {
    const routes = createRoutes([
      server([
        {
          location: "/a",
          lua: { content_by: "c", access_by: "outer", rewrite_by_file: "r.lua", log_by: "l" },
          locations: [
            {
              location: "/a/b",
              lua: { access_by_file: "inner.lua" },
              locations: [{ location: "/a/b/c", lua: { content_by: "own" } }],
            },
          ],
        },
      ]),
    ]);
    expect(routes.route(listen, "", "/a/b")?.location?.handlers).toEqual({
      access: { kind: "file", path: "inner.lua" },
      rewrite: { kind: "file", path: "r.lua" },
      log: { kind: "inline", code: "l" },
    });
    expect(routes.route(listen, "", "/a/b/c")?.location?.handlers).toEqual({
      access: { kind: "file", path: "inner.lua" },
      rewrite: { kind: "file", path: "r.lua" },
      log: { kind: "inline", code: "l" },
      content: { kind: "inline", code: "own" },
    });
    expect(routes.route(listen, "", "/a")?.location?.handlers.content).toEqual({ kind: "inline", code: "c" });
  });
});

interface Spec {
  readonly kind: "=" | "^~" | "" | "~" | "~*";
  readonly text: string;
  readonly inner: readonly Spec[];
}

/** A path and its trail through the specs: `0.2` is the third one inside the first. */
type Choose = (specs: readonly Spec[], uri: string) => string | undefined;

/**
 * The documentation of `location`, read out: an exact one ends the search; of the prefixes the longest is remembered,
 * and what is inside it is searched; then, unless that longest one says `^~`, the first regex that fits is taken; else
 * what was remembered.
 */
function chooseByTheBook(longest: (a: Spec, b: Spec) => Spec): Choose {
  const search = (specs: readonly Spec[], uri: string): { trail: string; final: boolean } | undefined => {
    const fits = ({ kind, text }: Spec) =>
      kind === "="
        ? uri === text
        : kind.startsWith("~")
          ? regexOf(kind, text).test(uri)
          : uri.startsWith(text);
    const trail = (spec: Spec, inside?: { trail: string }) =>
      `${specs.indexOf(spec)}${inside === undefined ? "" : `.${inside.trail}`}`;
    const exact = specs.find((spec) => spec.kind === "=" && fits(spec));
    if (exact !== undefined) return { trail: trail(exact), final: true };
    const prefixes = specs.filter((spec) => (spec.kind === "" || spec.kind === "^~") && fits(spec));
    const best = prefixes.length === 0 ? undefined : prefixes.reduce(longest);
    const inside = best && search(best.inner, uri);
    if (best !== undefined && inside?.final) return { trail: trail(best, inside), final: true };
    const regex =
      best?.kind === "^~" ? undefined : specs.find((spec) => spec.kind.startsWith("~") && fits(spec));
    if (regex !== undefined) return { trail: trail(regex, search(regex.inner, uri)), final: true };
    return best && { trail: trail(best, inside), final: false };
  };
  return (specs, uri) => search(specs, uri)?.trail;
}

const regexOf = (kind: string, text: string) => new RegExp(text, kind === "~*" ? "i" : "");

const chooseByRoutes: Choose = (specs, uri) => {
  const trails = new Map<string, string>();
  const documents = (level: readonly Spec[], trail: string): LocationDocument[] =>
    level.map(({ kind, text, inner }, index) => {
      const here = trail === "" ? `${index}` : `${trail}.${index}`;
      const code = `--${here}`;
      trails.set(code, here);
      return {
        location: `${kind} ${text}`.trim(),
        lua: { content_by: code },
        locations: documents(inner, here),
      };
    });
  const location = createRoutes([server(documents(specs, ""))]).route(listen, "", uri)?.location;
  const content = location?.handlers.content;
  return content?.kind === "inline" ? trails.get(content.code) : undefined;
};

describe("any set of locations", () => {
  const path = fc
    .array(fc.constantFrom("/", "a", "b", "A", ".lua"), { maxLength: 5 })
    .map((parts) => `/${parts.join("")}`);
  const plain = fc.record({ kind: fc.constantFrom("=", "^~", "", ""), text: path });
  const regex = fc.record({
    kind: fc.constantFrom("~", "~*"),
    text: fc.constantFrom("^/a", "b$", "\\.lua$", "/(a|b)/", "^/$", "aa"),
  });
  const specs = (depth: number): fc.Arbitrary<readonly Spec[]> =>
    fc.array(
      fc
        .tuple(fc.oneof(plain, regex), depth === 0 ? fc.constant([]) : specs(depth - 1))
        .map(([spec, inner]) => ({ ...spec, inner }) as Spec),
      { maxLength: depth === 2 ? 6 : 3 },
    );
  const agrees = (choose: Choose) =>
    fc.property(specs(2), fc.array(path, { minLength: 1, maxLength: 5 }), (specs, uris) => {
      for (const uri of uris) expect(chooseByRoutes(specs, uri)).toBe(choose(specs, uri));
    });

  it("is searched as the documentation says", () => {
    const longest = (a: Spec, b: Spec) => (b.text.length > a.text.length ? b : a);
    fc.assert(agrees(chooseByTheBook(longest)), { numRuns: 2_000 });
  });

  it("control: taking the first prefix instead of the longest is noticed", () => {
    expect(() => fc.assert(agrees(chooseByTheBook((a) => a)), { numRuns: 2_000 })).toThrow(
      /Property failed after/,
    );
  });
});
