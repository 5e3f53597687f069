/** Commands, options and exit codes: 0 done, 1 refused or failed, 2 wrong usage. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configTemplate, loadConfig } from "../../src/config/index.ts";
import { folderWith, relua } from "./relua.ts";

const commands = [
  "serve",
  "reload",
  "clean",
  "status",
  "history",
  "rollback",
  "hold",
  "release",
  "check",
  "init",
];

describe("help", () => {
  it("lists the commands", async () => {
    const { code, out } = await relua(["--help"]);
    expect(code).toBe(0);
    for (const command of commands) expect(out).toMatch(new RegExp(`relua ${command}\\b`));
  });

  it.each(commands)("%s has an example", async (command) => {
    const { code, out, err } = await relua([command, "--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(new RegExp(`Examples:\n +relua ${command}`));
  });

  it("knows the package's version", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await relua(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });
});

describe("wrong usage", () => {
  it.each<[string, readonly string[], RegExp]>([
    ["no command", [], /no command\n.*relua --help/],
    ["an unknown command", ["relod"], /Unknown command: relod. Did you mean reload/],
    ["an unknown option", ["reload", "--al"], /Unknown argument: al\n.*relua reload --help/],
    ["missing names", ["clean"], /Not enough arguments/],
    ["too many names", ["status", "x"], /Unknown (argument|command): x/],
    ["an option without its value", ["status", "--url"], /Not enough arguments following: url/],
    ["a value that is none of the choices", ["serve", "--log-level", "loud"], /log-level, Given: "loud"/],
    ["options that contradict each other", ["reload", "--all", "a"], /--all takes no names/],
    ["--force on nothing", ["reload", "--force"], /--force takes the names/],
    ["an option that is given twice", ["status", "--url", "a", "--url", "b"], /--url is given 2 times/],
    [
      "a generation that is none",
      ["rollback", "x"],
      /GENERATION is "x"; it takes .*\n.*relua rollback --help/,
    ],
    ["no generation", ["rollback"], /Not enough arguments/],
    ["an id that is none", ["history", "last"], /ID is "last"; it takes the number/],
    ["a list of one reload", ["history", "3", "-n", "2"], /-n is for lists/],
    ["a list of none", ["history", "-n", "0"], /-n is "0"; it takes a number from 1/],
    ["a limit that is none", ["hold", "--limit", "soon"], /--limit is "soon"; it takes .*90s.*24h/],
    ["a limit beyond a day", ["hold", "--limit", "25h"], /at most 24h/],
    ["a release with an owner", ["release", "--owner", "ci"], /Unknown argument: owner/],
    ["an address that is none", ["status", "--url", "ftp://x"], /--url is "ftp:\/\/x"; it takes/],
    ["an address with a password", ["status", "--url", "http://a:b@x"], /RELUA_TOKEN/],
  ])("%s exits 2 with a hint", async (_title, args, message) => {
    const { code, out, err } = await relua(args);
    expect(err).toMatch(message);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });
});

describe("init", () => {
  it("writes a config file that loads", async () => {
    const cwd = folderWith();
    expect(await relua(["init"], { cwd })).toEqual({
      code: 0,
      out: "watch.config.ts is written; relua serve runs it\n",
      err: "",
    });
    expect((await loadConfig(undefined, cwd)).servers).toHaveLength(1);
  });

  it("replaces nothing unless told to", async () => {
    const cwd = folderWith({ "watch.config.ts": "mine" });
    const refused = await relua(["init"], { cwd });
    expect(refused.err).toBe("relua: watch.config.ts is there already; --force replaces it\n");
    expect(refused.code).toBe(1);
    expect(readFileSync(join(cwd, "watch.config.ts"), "utf8")).toBe("mine");
    expect((await relua(["init", "--force"], { cwd })).code).toBe(0);
    expect(readFileSync(join(cwd, "watch.config.ts"), "utf8")).toBe(configTemplate);
  });

  it("says where it cannot write", async () => {
    const { code, err } = await relua(["init", "-c", "no/folder/relua.ts"]);
    expect(err).toMatch(/^relua: ENOENT.*no\/folder\/relua.ts/);
    expect(code).toBe(1);
  });
});
