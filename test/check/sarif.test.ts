/** SARIF 2.1.0: what its schema requires, and where each finding is. */

import { describe, expect, it } from "vitest";
import { sarifOf } from "../../src/check/sarif.ts";
import { ruleIds } from "../../src/core/check-rules.ts";
import { check } from "./tree.ts";

interface Region {
  readonly startLine: number;
  readonly startColumn?: number;
}
interface Place {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
    readonly region: Region;
  };
}
interface Log {
  readonly $schema: string;
  readonly version: string;
  readonly runs: readonly {
    readonly tool: {
      readonly driver: {
        readonly name: string;
        readonly version: string;
        readonly rules: readonly {
          readonly id: string;
          readonly shortDescription: { readonly text: string };
        }[];
      };
    };
    readonly originalUriBaseIds: { readonly ROOT: { readonly uri: string } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: readonly Place[];
      readonly relatedLocations?: readonly Place[];
    }[];
  }[];
}

const sarif = (texts: Readonly<Record<string, string>>, root = "/srv") =>
  JSON.parse(JSON.stringify(sarifOf(check(texts), { version: "1.2.3", root }))) as Log;

describe("SARIF", () => {
  const log = sarif({ "a/m m.lua": "x = 1", "a/x.lua": 'require "y"', "a/y.lua": 'require "x"' });
  const [run] = log.runs;

  it("has what the schema requires", () => {
    expect(log.version).toBe("2.1.0");
    expect(log.$schema).toMatch(/sarif-2\.1\.0\.json$/);
    expect(run?.tool.driver).toMatchObject({ name: "relua check", version: "1.2.3" });
    expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual(ruleIds);
    expect(run?.originalUriBaseIds.ROOT.uri).toBe("file:///srv/");
    for (const { ruleId, ruleIndex, level, message, locations } of run?.results ?? []) {
      expect(ruleIds[ruleIndex]).toBe(ruleId);
      expect(["error", "warning"]).toContain(level);
      expect(message.text).not.toBe("");
      expect(locations).toHaveLength(1);
    }
  });

  it("names files by URIs relative to the root, from line and column 1", () => {
    const places = run?.results.map(({ locations: [place] }) => place?.physicalLocation);
    expect(places).toEqual([
      {
        artifactLocation: { uri: "a/m%20m.lua", uriBaseId: "ROOT" },
        region: { startLine: 1, startColumn: 1 },
      },
      { artifactLocation: { uri: "a/x.lua", uriBaseId: "ROOT" }, region: { startLine: 1, startColumn: 1 } },
    ]);
    expect(run?.results[1]?.relatedLocations).toHaveLength(1);
  });

  it("names files outside of the root by whole URIs", () => {
    const [result] = sarif({ "a/m.lua": "x = 1" }, "/elsewhere").runs[0]?.results ?? [];
    expect(result?.locations[0]?.physicalLocation.artifactLocation).toEqual({ uri: "file:///srv/a/m.lua" });
  });

  it("counts columns in UTF-16 units", () => {
    const text = Buffer.from("local s = '€𝄞' x = 1").toString("latin1");
    const [result] = sarif({ "a/m.lua": text }).runs[0]?.results ?? [];
    expect(result?.locations[0]?.physicalLocation.region).toEqual({ startLine: 1, startColumn: 17 });
  });
});
