/** What lies in a root and is no ordinary file: skipped with a reason that the status tells, and in nobody's way. */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { chmod, rename, rm, truncate, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Place, type PlaceOptions, patient } from "../../support/arrival.ts";

const answer = "ngx.print((require 'app'))";

/** Lua: what the module `m` says, or `none`. */
const optional = (m: string) =>
  `(function() local found, said = pcall(require, "${m}") return found and tostring(said) or "none" end)()`;

const sockets: Server[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** An agent over `root`. The sweep is on: it is what could open a FIFO again and again. */
function openPlace(files: Record<string, string> = {}, more: Partial<PlaceOptions> = {}): Promise<Place> {
  return Place.open({
    files: { "root/app.lua": "return 'v1'", ...files },
    answer,
    watch: { ...patient, sweepMs: 50, maxFileBytes: "4k" },
    config: { luaPackagePath: "$prefix/root/?.lua" },
    ...more,
  });
}

function skipped(place: Place): Record<string, string> {
  const folder = `${place.path("root")}/`;
  const { skipped } = place.site.agent.status().watch;
  return Object.fromEntries(skipped.map(({ path, reason }) => [path.slice(folder.length), reason]));
}

/** Bytes of a name that is latin1, not UTF-8. */
const latin1Path = (folder: string, name: string) =>
  Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, "latin1")]);

/** One of each kind, as modules `odd.…`. */
const oddFiles: Readonly<
  Record<string, { readonly make: (folder: string) => unknown; readonly why: string }>
> = {
  "fifo.lua": { make: (folder) => execFileSync("mkfifo", [`${folder}/fifo.lua`]), why: "FIFO" },
  "socket.lua": {
    make: async (folder) => {
      const socket = createServer().listen(`${folder}/socket.lua`);
      sockets.push(socket);
      await once(socket, "listening");
    },
    why: "socket",
  },
  "device.lua": { make: (folder) => symlinkSync("/dev/zero", `${folder}/device.lua`), why: "device" },
  "large.lua": {
    make: (folder) => writeFileSync(`${folder}/large.lua`, `return '${"x".repeat(5000)}'`),
    why: "larger than maxFileBytes (5009 bytes)",
  },
  "nothing.lua": {
    make: (folder) => symlinkSync("nowhere", `${folder}/nothing.lua`),
    why: "symbolic link to nothing",
  },
  "stra\ufffde.lua": {
    make: (folder) => writeFileSync(latin1Path(folder, "straße.lua"), "return 1"),
    why: "name is not UTF-8",
  },
};
const reasons = (folder: string) =>
  Object.fromEntries(Object.entries(oddFiles).map(([name, { why }]) => [`${folder}/${name}`, why]));

describe("a FIFO, a socket, a device, a file too large, a link to nothing, a name that is not UTF-8", () => {
  it("are skipped with a reason, and what is written beside them is seen, also when they come later", async () => {
    const place = await openPlace({ "root/first/m.lua": "" });
    mkdirSync(place.path("root/odd"));
    const makeAll = async () => {
      for (const { make } of Object.values(oddFiles)) await make(place.path("root/odd"));
    };
    await place.performNothing("odd files appear", makeAll, "root/zz_marker.lua");
    await expect.poll(() => skipped(place)).toEqual(reasons("odd"));
    for (const version of ["v2", "v3", "v4"]) {
      const edit = () => writeFile(place.path("root/app.lua"), `return '${version}'`);
      expect((await place.perform("edit beside odd files", edit, version)).generations.length).toBe(1);
      await place.untilSwept();
    }
    expect(skipped(place)).toEqual(reasons("odd"));
    await place.performNothing(
      "odd files go",
      () => rm(place.path("root/odd"), { recursive: true }),
      "root/zz_marker.lua",
    );
    await expect.poll(() => skipped(place)).toEqual({});
  });

  it("do not keep an agent from starting", async () => {
    const place = await openPlace(
      {},
      {
        prepare: (tree) => {
          for (const name of ["fifo.lua", "device.lua", "large.lua", "nothing.lua", "stra\ufffde.lua"])
            oddFiles[name]?.make(tree.path("root"));
        },
      },
    );
    expect(Object.values(skipped(place)).sort()).toEqual([
      "FIFO",
      "device",
      "larger than maxFileBytes (5009 bytes)",
      "name is not UTF-8",
      "symbolic link to nothing",
    ]);
    const fifoIsAsked = () => writeFile(place.path("root/app.lua"), `return ${optional("fifo")}`);
    expect((await place.perform("require of a FIFO", fifoIsAsked, "none")).generations.length).toBe(1);
  });

  it("in place of a module take it away, and give it back", async () => {
    const place = await openPlace({
      "root/app.lua": `return ${optional("m")}`,
      "root/m.lua": "return 'm1'",
    });
    const path = place.path("root/m.lua");
    const back = async (way: string) => {
      const write = async () => {
        await writeFile(place.path("root/m.next"), "return 'm1'");
        await rename(place.path("root/m.next"), path);
      };
      expect((await place.perform(way, write, "m1")).generations.length).toBe(1);
    };
    const fifo = () => {
      execFileSync("mkfifo", [place.path("root/m.next")]);
      return rename(place.path("root/m.next"), path);
    };
    expect((await place.perform("FIFO in place of a module", fifo, "none")).generations.length).toBe(1);
    expect(skipped(place)).toEqual({ "m.lua": "FIFO" });
    await back("file in place of a FIFO");
    const large = () => writeFile(path, " ".repeat(4097));
    expect((await place.perform("too large", large, "none")).generations.length).toBe(1);
    expect(skipped(place)).toEqual({ "m.lua": "larger than maxFileBytes (4097 bytes)" });
    const smaller = () => truncate(path, 4096);
    expect((await place.perform("as large as allowed", smaller, "true")).generations.length).toBe(1);
    expect(skipped(place)).toEqual({});
  });
});

describe("a folder named like a module", () => {
  it("is a folder: what is in it is watched, and it takes the place of no module", async () => {
    const place = await openPlace({ "root/x.lua/init.lua": "return 'inside'" });
    expect(skipped(place)).toEqual({});
    const ask = () => writeFile(place.path("root/app.lua"), `return ${optional("x")}`);
    expect((await place.perform("folder x.lua", ask, "none")).generations.length).toBe(1);
    const replace = async () => {
      await rm(place.path("root/x.lua"), { recursive: true });
      await writeFile(place.path("root/x.lua"), "return 'a file now'");
    };
    expect((await place.perform("a file in its place", replace, "a file now")).generations.length).toBe(1);
  });
});

describe("names", () => {
  it("with spaces, newlines, quotes, umlauts and what patterns mean something are names like any other", async () => {
    const names = ["with space", "new\nline", "quo'te\"", "[a-z]*?", "$prefix", "é\u{1f600}", "-rf", "%s"];
    const file = (name: string) => `root/${name}.lua`;
    const requires = names.map((name) => `require ${JSON.stringify(name).replaceAll("\\n", "\\\n")}`);
    const place = await openPlace({
      "root/app.lua": `return ${requires.join(" .. ")}`,
      ...Object.fromEntries(names.map((name) => [file(name), "return '1'"])),
    });
    expect(skipped(place)).toEqual({});
    for (const [index, name] of names.entries()) {
      const expected = names.map((_, at) => (at <= index ? "2" : "1")).join("");
      const edit = () => place.tree.write({ [file(name)]: "return '2'" });
      const { generations } = await place.perform(`edit of ${JSON.stringify(name)}`, edit, expected);
      expect(generations.map(({ changes }) => changes.map(({ path }) => path))).toEqual([
        [place.path(file(name))],
      ]);
    }
  });

  it("that change in case only are other names", async () => {
    const place = await openPlace({
      "root/app.lua": `return ${optional("Mod")} .. " " .. ${optional("mod")}`,
      "root/Mod.lua": "return 'm1'",
    });
    const lower = () => rename(place.path("root/Mod.lua"), place.path("root/mod.lua"));
    expect((await place.perform("Mod.lua to mod.lua", lower, "none m1")).generations.length).toBe(1);
    const upper = () => rename(place.path("root/mod.lua"), place.path("root/Mod.lua"));
    expect((await place.perform("mod.lua to Mod.lua", upper, "m1 none")).generations.length).toBe(1);
  });

  it("too deep for a path end there, with a reason", async () => {
    const deep = Array.from({ length: 70 }, () => "d").join("/");
    const place = await openPlace({ [`root/${deep}/m.lua`]: "return 1" });
    const [path, ...others] = Object.entries(skipped(place));
    expect(others).toEqual([]);
    expect(path?.[1]).toBe("more than 64 folders deep");
  });
});

describe("without the right to read", () => {
  it("files and folders have no modules, and have them again with the right", async (context) => {
    context.skip(process.getuid?.() === 0, "root reads everything");
    const place = await openPlace({
      "root/app.lua": `return ${optional("m")} .. ${optional("d.n")}`,
      "root/m.lua": "",
      "root/d/n.lua": "",
    });
    const forbid = () => {
      chmodSync(place.path("root/m.lua"), 0o000);
      chmodSync(place.path("root/d"), 0o000);
    };
    expect((await place.perform("unreadable", forbid, "nonenone")).generations.length).toBe(1);
    expect(skipped(place)).toEqual({ "m.lua": "EACCES", d: "EACCES" });
    const allow = async () => {
      await chmod(place.path("root/m.lua"), 0o644);
      await chmod(place.path("root/d"), 0o755);
    };
    expect((await place.perform("readable again", allow, "truetrue")).generations.length).toBe(1);
    expect(skipped(place)).toEqual({});
  });
});
