/** The words for what is ignored say what the territory decides. */

import { basename, dirname } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createIgnoredBy, type IgnoredBy } from "../../src/source/ignored-by.ts";
import { Territory } from "../../src/source/territory.ts";

const options = {
  roots: [
    { folder: "/srv/apps", suffixes: [".lua"] },
    { folder: "/srv/apps/.hidden/lib", suffixes: [".lua"] },
  ],
  files: ["/srv/apps/vendor/boot.lua", "/srv/handlers/h.lua"],
  ignore: ["vendor", "*_spec.lua"],
};

describe("the rule by which a path is ignored", () => {
  const ignoredBy = createIgnoredBy(options);

  it("is told in words", () => {
    expect(ignoredBy("/srv/apps/node_modules/x/a.lua")).toBe("/srv/apps/node_modules: node_modules");
    expect(ignoredBy("/srv/apps/.git/a.lua")).toBe("/srv/apps/.git: names that start with a dot");
    expect(ignoredBy("/srv/apps/vendor/a.lua")).toBe('watch.ignore has "vendor"');
    expect(ignoredBy("/srv/apps/lib/a_spec.lua")).toBe('watch.ignore has "*_spec.lua"');
    expect(ignoredBy("/srv/apps/.#a.lua")).toBe("emacs' locks and auto-saves");
  });

  it("is none for modules, for single files, and for what no root holds", () => {
    for (const path of ["/srv/apps/a.lua", "/srv/apps/vendor/boot.lua", "/elsewhere/.git/a.lua", "/"])
      expect(ignoredBy(path), path).toBeUndefined();
    expect(ignoredBy("/srv/apps/.hidden/lib/a.lua")).toBeUndefined();
  });

  const name = fc.constantFrom("a", "b", ".hidden", "lib", "vendor", "node_modules", ".git");
  const file = fc.constantFrom("a.lua", "boot.lua", "a_spec.lua", ".#a.lua", "4913", "x.lua~", "sedAbc123");
  const paths = fc.tuple(fc.constantFrom("/srv/apps", "/srv"), fc.array(name, { maxLength: 4 }), file);
  const agrees = (said: IgnoredBy) => {
    const territory = new Territory(options);
    const isModule = (path: string) => {
      const interest = territory.interest(dirname(path));
      return interest !== undefined && territory.isCandidate(interest, dirname(path), basename(path));
    };
    fc.assert(
      fc.property(paths, ([root, names, last]) => {
        const path = [root, ...names, last].join("/");
        const isBelowRoot = path.startsWith("/srv/apps/");
        if (isBelowRoot && path.endsWith(".lua")) expect(said(path) === undefined).toBe(isModule(path));
        else if (isModule(path)) expect(said(path)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  };

  it("agrees with what is walked", () => agrees(ignoredBy));

  it("(control) looking at the file alone is noticed", () => {
    expect(() => agrees((path) => ignoredBy(`/srv/apps/${basename(path)}`))).toThrow();
  });
});
