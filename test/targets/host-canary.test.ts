/** The check before a commit where no VM of ours serves: the host's interpreter must take the contents. */

import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RehearsalOrder } from "../../src/core/move.ts";
import { HostCanary, type HostCanaryOptions } from "../../src/targets/host-canary.ts";
import { parseInterpreterMessage } from "../../src/targets/interpreter-message.ts";
import { debianProgram, itWithDebian } from "../debian.ts";
import { until } from "../support/nginx.ts";
import { createTree, type Tree } from "../support/tree.ts";

const trees: Tree[] = [];
/** Other tests make folders as well: these have a place of their own. */
const before = process.env.TMPDIR;
beforeEach(() => {
  process.env.TMPDIR = tree().root;
});
afterEach(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  for (const made of trees.splice(0).reverse()) made.remove();
});

function tree(files: Readonly<Record<string, string>> = {}): Tree {
  const made = createTree(files);
  trees.push(made);
  return made;
}

/** All of these files changed: their contents lie behind each other in one arena. */
function orderOf(files: Readonly<Record<string, string>>, unchanged: readonly string[] = []): RehearsalOrder {
  const texts = Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
  const arena = new SharedArrayBuffer(texts.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let offset = 0;
  const present = texts.map(({ path, bytes }) => {
    new Uint8Array(arena, offset, bytes.length).set(bytes);
    const content = { arena: 7, offset, length: bytes.length };
    offset += bytes.length;
    return { path, file: path, hash: "", content };
  });
  return {
    generation: 2,
    manifest: { present, absent: [], arenas: new Map([[7, arena]]) },
    evict: [],
    roots: [],
    compile: Object.keys(files).filter((path) => !unchanged.includes(path)),
    load: undefined,
    fresh: false,
    tellRequires: false,
  };
}

function canary(options: Partial<HostCanaryOptions> = {}): HostCanary {
  return new HostCanary({
    hostCheck: [],
    prefix: "/",
    timeoutMs: 20_000,
    ...options,
  });
}

/** A program of the test's own. */
function program(script: string): { readonly path: string; readonly tree: Tree } {
  const place = tree({ program: `#!/bin/sh\n${script}\n` });
  chmodSync(place.path("program"), 0o755);
  return { path: place.path("program"), tree: place };
}

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("relua-check-"));

describe("reload.hostCheck", () => {
  itWithDebian(
    "by LuaJIT takes what compiles and says file and line of what does not",
    [debianProgram("luajit")],
    async (luajit) => {
      const order = orderOf({
        "/srv/good.lua": "local x <const> = 1",
        "/srv/ffi.lua": "local ffi = require 'ffi' return 1LL, 0x1p4, goto_",
        "/srv/bad.lua": "local a = 1\n\nreturn a b",
        "/srv/lib/bad.lua": "return (",
      });
      const { errors } = await canary({ hostCheck: [luajit as string, "-bl"] }).rehearse(order);
      expect(errors).toEqual([
        // 5.4's attributes are none of LuaJIT's.
        {
          path: "/srv/good.lua",
          line: 1,
          message: expect.stringContaining("unexpected symbol near '<'"),
          requiredBy: [],
        },
        {
          path: "/srv/bad.lua",
          line: 3,
          message: expect.stringContaining("<eof>' expected near 'b'"),
          requiredBy: [],
        },
        {
          path: "/srv/lib/bad.lua",
          line: 1,
          message: expect.stringContaining("unexpected symbol"),
          requiredBy: [],
        },
      ]);
      expect(folders()).toEqual([]);
    },
  );

  itWithDebian("by luac 5.1 says the same", [debianProgram("luac5.1", "lua5.1")], async (luac) => {
    const { errors } = await canary({ hostCheck: [luac as string, "-p"] }).rehearse(
      orderOf({ "/srv/bad.lua": "x = = 1", "/srv/good.lua": "x = 1" }),
    );
    expect(errors).toEqual([
      {
        path: "/srv/bad.lua",
        line: 1,
        message: expect.stringContaining("unexpected symbol near '='"),
        requiredBy: [],
      },
    ]);
  });

  it("gets a copy of the content to be committed, whatever is on the disk, under the file's own name", async () => {
    const { path, tree: place } = program(
      `cat "$2" > "$(dirname "$0")/seen"; basename "$2" >> "$(dirname "$0")/seen"; pwd >> "$(dirname "$0")/seen"`,
    );
    const source = tree({ "app.lua": "newer, not committed" });
    await canary({ hostCheck: [path, "-x"], prefix: source.root }).rehearse(
      orderOf({ [source.path("app.lua")]: "return 1\n" }),
    );
    expect(readFileSync(place.path("seen"), "utf8")).toBe(`return 1\napp.lua\n${source.root}\n`);
  });

  it("asks for every content that is to be committed, and for no other", async () => {
    const { path, tree: place } = program('cat "$1" >> "$(dirname "$0")/seen"');
    const order = orderOf({ "/srv/a.lua": "one ü ", "/srv/b.lua": "other ", "/srv/c.lua": "one ü " }, [
      "/srv/b.lua",
    ]);
    expect(await canary({ hostCheck: [path] }).rehearse(order)).toEqual({ errors: [], bytecode: [] });
    expect(readFileSync(place.path("seen"), "utf8")).toBe("one ü one ü ");
  });

  it("that is not configured asks nobody", async () => {
    expect((await canary().rehearse(orderOf({ "/srv/a.lua": "x" }))).errors).toEqual([]);
  });

  it("rejects when a content is not there to be asked for: nothing goes unchecked", async () => {
    const order = orderOf({ "/srv/a.lua": "x" });
    const manifest = { ...order.manifest, arenas: new Map() };
    const { errors } = await canary({ hostCheck: ["true"] }).rehearse({ ...order, manifest });
    expect(errors).toMatchObject([{ message: expect.stringContaining("/srv/a.lua is not in the manifest") }]);
  });

  it("removes its copies, also when it was ended, and also a copy that was made read-only", async () => {
    const { path } = program('chmod 400 "$1"; echo "lua: $1:7: no" >&2; exit 1');
    const { errors } = await canary({ hostCheck: [path] }).rehearse(orderOf({ "/srv/a.lua": "x" }));
    expect(errors).toMatchObject([{ path: "/srv/a.lua", line: 7 }]);
    expect(folders()).toEqual([]);
  });

  it("that takes too long rejects, and is ended", async () => {
    const { path } = program("sleep 600");
    const { errors } = await canary({ hostCheck: [path], timeoutMs: 200 }).rehearse(
      orderOf(Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`/srv/${n}.lua`, "x"]))),
    );
    expect(errors.length).toBe(9);
    for (const { message } of errors) expect(message).toMatch(/longer than \d+ ms|not checked within 200 ms/);
    expect(folders()).toEqual([]);
  });

  it("that cannot be run rejects, and says so: nothing goes unchecked", async () => {
    const { errors } = await canary({ hostCheck: ["/nonexistent/luajit", "-bl"] }).rehearse(
      orderOf({ "/srv/a.lua": "x" }),
    );
    expect(errors).toMatchObject([
      {
        path: "/srv/a.lua",
        message: "reload.hostCheck (/nonexistent/luajit): there is no program /nonexistent/luajit",
      },
    ]);
  });

  it("runs a few at a time", async () => {
    const { path, tree: place } = program(
      'cd "$(dirname "$0")"; mkdir -p at; touch at/$$; ls at | wc -l >> counts; sleep 0.05; rm at/$$',
    );
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`/srv/${n}.lua`, "x"]));
    expect((await canary({ hostCheck: [path] }).rehearse(orderOf(files))).errors).toEqual([]);
    const counts = readFileSync(place.path("counts"), "utf8").trim().split("\n").map(Number);
    expect(counts).toHaveLength(12);
    expect(Math.max(...counts)).toBeLessThanOrEqual(4);
  });

  it("ends with the agent", async () => {
    const { path, tree: place } = program('echo $$ > "$(dirname "$0")/pid"; exec sleep 600');
    const ended = canary({ hostCheck: [path] });
    const rehearsed = ended.rehearse(orderOf({ "/srv/a.lua": "x" }));
    await until(() => readdirSync(place.root).includes("pid"));
    ended.close();
    expect((await rehearsed).errors).toMatchObject([{ message: expect.stringContaining("the agent ends") }]);
  });
});

describe("an interpreter's message", () => {
  const copy = "/tmp/relua-check-abc/0/handler.lua";
  it.each([
    [`luajit: ${copy}:3: '=' expected near 'x'`, 3, "'=' expected near 'x'"],
    [`/usr/bin/luajit: ${copy}:12: unfinished string near '"a'`, 12, "unfinished string near '\"a'"],
    [
      `lua5.1: ${copy}:1: unexpected symbol near '?'\nstack traceback:\n\t[C]: ?`,
      1,
      "unexpected symbol near '?'",
    ],
    [`luac: ...ng/folder/name/0/handler.lua:4: x`.replace("...ng/folder/name", "...check-abc"), 4, "x"],
    [`${copy}:9: (W113) accessing undefined variable`, 9, "(W113) accessing undefined variable"],
    ["out of memory", undefined, "out of memory"],
    ["luajit: /other/file.lua:3: not ours", undefined, "luajit: /other/file.lua:3: not ours"],
  ])("%j", (text, line, message) => {
    expect(parseInterpreterMessage(text, copy)).toEqual({ line, message });
  });

  it("may be none", () => {
    expect(parseInterpreterMessage(" \n", copy)).toBeUndefined();
  });
});
