/** `io` and `os` on real files, step by step as LuaJIT does it. */

import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { debianProgram, itWithDebian } from "../debian.ts";
import { runLua } from "./lua-run.ts";

const script = readFileSync(new URL("../fixtures/prelude/files.lua", import.meta.url), "latin1");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "relua-state-files-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function emptyFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

describe("files", () => {
  itWithDebian("behave as under LuaJIT", [debianProgram("luajit", "luajit2")], (luajit = "") => {
    const call = (path: string): string => `return (function(...) ${script}\nend)("${path}")`;
    const theirs = execFileSync(luajit, ["-"], {
      input: `io.write((function() ${call(emptyFolder("luajit"))} end)())`,
      encoding: "latin1",
    });
    const ours = runLua(call(emptyFolder("relua")));
    expect(ours.error).toBeUndefined();
    expect(ours.values[0]).toBe(theirs);
    expect(readdirSync(join(folder, "relua"))).toEqual([]);
  });

  it("keep every byte", () => {
    const path = join(folder, "bytes");
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    writeFileSync(path, bytes);
    const run = runLua(`
      local file = io.open("${path}", "rb") local text = file:read("*a") file:close()
      io.open("${path}2", "wb"):write(text):close()
      return #text`);
    expect(run.values).toEqual(["256"]);
    expect(readFileSync(`${path}2`)).toEqual(bytes);
  });

  it("have names that need not be UTF-8", () => {
    const run = runLua(`
      local path = "${folder}/\\255\\254"
      io.open(path, "w"):write("here"):close()
      return io.open(path):read("*a"), os.remove(path)`);
    expect(run.values).toEqual(["here", "true"]);
  });

  it("refuse a name with a zero byte and a mode that is none", () => {
    const run = runLua(`
      local _, zero = io.open("a\\0b") local _, mode, errno = io.open("${folder}/x", "rw")
      return zero, mode, errno`);
    expect(run.values).toEqual(["a\0b: Invalid argument", `${folder}/x: Invalid argument`, "22"]);
  });

  it("that are FIFOs do not stop the VM when nobody writes to them", () => {
    const path = join(folder, "fifo");
    execFileSync("mkfifo", [path]);
    expect(runLua(`return io.open("${path}"):read("*a")`).values).toEqual([""]);
  });

  it("without an end are not read for ever", () => {
    const run = runLua(`return io.open("/dev/zero"):read("*a")`);
    expect(run.values).toEqual(["nil", "Cannot allocate memory", "12"]);
  });

  it("are closed at the end of io.lines", () => {
    const path = join(folder, "lines");
    writeFileSync(path, "1\n2\n");
    const run = runLua(`for _ in io.lines("${path}") do end`);
    expect(run.error).toBeUndefined();
    const open = readdirSync("/proc/self/fd").map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return "";
      }
    });
    expect(open).not.toContain(path);
  });
});
