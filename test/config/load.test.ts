/** Finding, running and reading a config file; the template and the repository's own file. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configTemplate, loadConfig, parseConfig } from "../../src/config/index.ts";
import { ReluaError } from "../../src/errors.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "relua-config-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const write = (text: string, name = "watch.config.ts") => writeFileSync(join(folder, name), text);

async function failure(
  file?: string,
): Promise<{ readonly code: string; readonly details: readonly string[] }> {
  const error = await loadConfig(file, folder).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ReluaError);
  const { code, details } = error as ReluaError;
  return { code, details };
}

describe("loading", () => {
  it("finds watch.config.ts in the working folder, or the file that is named", async () => {
    write("const n: number = 3;\nexport default { threads: n };");
    mkdirSync(join(folder, "other"));
    write("export default { threads: 4, prefix: '..' };", "other/relua.config.mjs");
    expect(await loadConfig(undefined, folder)).toMatchObject({ threads: 3, prefix: folder, cwd: folder });
    expect(await loadConfig("other/relua.config.mjs", folder)).toMatchObject({
      threads: 4,
      file: join(folder, "other/relua.config.mjs"),
      prefix: folder,
    });
  });

  it("gives defineConfig to a file that imports relua, installed or not", async () => {
    write("import { defineConfig } from 'relua';\nexport default defineConfig({ threads: 1 });");
    expect((await loadConfig(undefined, folder)).threads).toBe(1);
  });

  it("reads the file and its imports anew each time", async () => {
    write("import { threads } from './threads.ts';\nexport default { threads };");
    write("export const threads = 1;", "threads.ts");
    expect((await loadConfig(undefined, folder)).threads).toBe(1);
    write("export const threads = 2;", "threads.ts");
    expect((await loadConfig(undefined, folder)).threads).toBe(2);
  });

  it("says where it looked when there is no file", async () => {
    expect(await failure()).toEqual({
      code: "config-unreadable",
      details: [
        `watch.config.ts: there is no such file in ${folder}; run \`relua init\` to write one, or name one with -c`,
      ],
    });
    expect((await failure("nope.ts")).details).toEqual([
      `nope.ts: there is no such file in ${folder}; check the name behind -c`,
    ]);
    expect((await failure(folder)).details[0]).toMatch(/this is not a file$/);
  });

  it.each([
    [
      "export default {\n  threads: 1;\n};",
      "config-unreadable",
      /^watch\.config\.ts: ParseError: .* in line 2, column \d+$/,
    ],
    [
      "\nthrow new Error('no database');",
      "config-unreadable",
      /^watch\.config\.ts: it throws Error: no database \(line 2\)$/,
    ],
    ["throw 'pearls';", "config-unreadable", /^watch\.config\.ts: it throws pearls$/],
    ["import './nope.ts';\nexport default {};", "config-unreadable", /^watch\.config\.ts: it throws .*nope/],
    ["export const config = {};", "config-invalid", /there is no default export; write export default/],
    ["export default () => ({});", "config-invalid", /the configuration is not an object/],
  ])("refuses %j", async (text, code, line) => {
    write(text);
    const { code: found, details } = await failure();
    expect(details).toEqual([expect.stringMatching(line)]);
    expect(found).toBe(code);
  });

  it("names five mistakes in five lines", async () => {
    write(`export default {
      threads: -1, wach: false, watch: { settleMs: -5 }, luaPackagePath: "$nope/?.lua",
      control: { listen: "0.0.0.0:80" },
    };`);
    const { code, details } = await failure();
    expect(code).toBe("config-invalid");
    expect(details).toHaveLength(5);
    expect(details).toContain("watch.config.ts: watch.settleMs is -5; it takes 0 to 60000");
  });
});

describe("the template that relua init writes", () => {
  it("holds the defaults, key by key, and one server to begin with", async () => {
    write(configTemplate);
    const { servers, ...rest } = await loadConfig(undefined, folder);
    const defaults = parseConfig({}, { file: join(folder, "watch.config.ts"), cwd: folder });
    const { servers: _, ...expected } = defaults;
    const { RELUA_TOKEN: token } = process.env;
    expect(rest).toEqual({ ...expected, control: { ...expected.control, token: token || undefined } });
    expect(servers).toMatchObject([{ listens: ["127.0.0.1:8080"], locations: [{ location: "/" }] }]);
  });

  it("leaves no key out", async () => {
    const { configShape } = await import("../../src/config/schema.ts");
    for (const key of keysOf(parseConfig({}))) expect(configTemplate, key).toMatch(new RegExp(`\\b${key}:`));
    for (const key of Object.keys(configShape)) expect(configTemplate, key).toMatch(new RegExp(`\\b${key}:`));
  });
});

describe("the repository's own watch.config.ts", () => {
  it("is what the README walks through", async () => {
    const root = join(import.meta.dirname, "../..");
    const config = await loadConfig(undefined, root);
    expect(config.control.listen).toEqual({ host: "127.0.0.1", port: 8081 });
    expect(config.servers[0]?.listens).toEqual(["127.0.0.1:8080"]);
    expect(config.servers[0]?.locations[0]).toEqual({
      location: "/luatest",
      lua: { content_by: "require('mylib').run()" },
    });
  });
});

/** Keys inside the sections that a user writes. */
function keysOf(config: ReturnType<typeof parseConfig>): readonly string[] {
  const { control, watch, scan, reload, limits } = config;
  return [control, watch, scan, reload, limits].flatMap((part) => Object.keys(part));
}
