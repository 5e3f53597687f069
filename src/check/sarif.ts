/** Findings as SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), for code scanning. */

import { ruleIds, rules } from "../core/check-rules.ts";
import { utf16Column } from "./excerpt.ts";
import type { Finding, Location } from "./finding.ts";

export interface SarifOptions {
  /** Of Relua. */
  readonly version: string;
  /** URIs are relative to this folder, absolute. */
  readonly root: string;
}

/** A log with one run. */
export function sarifOf(findings: readonly Finding[], { version, root }: SarifOptions): object {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "relua check",
            version,
            rules: ruleIds.map((id) => ({
              id,
              shortDescription: { text: rules[id].about },
              defaultConfiguration: { level: rules[id].severity },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: { ROOT: { uri: `${uriOf(root)}/` } },
        results: findings.map((finding) => resultOf(finding, root)),
      },
    ],
  };
}

function resultOf(finding: Finding, root: string): object {
  const { rule, severity, message, related, source, column } = finding;
  return {
    ruleId: rule,
    ruleIndex: ruleIds.indexOf(rule),
    level: severity,
    message: { text: message },
    locations: [locationOf(finding, root, utf16Column(source, column))],
    ...(related.length > 0 && {
      relatedLocations: related.map((place, index) => ({
        id: index + 1,
        ...locationOf(place, root),
        message: { text: place.message },
      })),
    }),
  };
}

/** Without a column where the line is not at hand to count it in SARIF's units. */
function locationOf({ path, line }: Location, root: string, startColumn?: number): object {
  const inside = path.startsWith(root === "/" ? root : `${root}/`);
  const artifactLocation = inside
    ? { uri: encoded(path.slice(root === "/" ? 1 : root.length + 1)), uriBaseId: "ROOT" }
    : { uri: uriOf(path) };
  const region = { startLine: line, ...(startColumn !== undefined && { startColumn }) };
  return { physicalLocation: { artifactLocation, region } };
}

function uriOf(path: string): string {
  return `file://${encoded(path === "/" ? "" : path)}`;
}

function encoded(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
