/** Adds up what .ci/run has seen: `tally.mjs RESULTS FAILED_STEPS`; RESULTS is vitest's JSON report, or empty. */

import { readFileSync } from "node:fs";

const [file, failedSteps] = process.argv.slice(2);
const text = readFileSync(file, "utf8");
const files = text === "" ? [] : JSON.parse(text).testResults;
const tests = files.flatMap(({ assertionResults }) => assertionResults);
const count = (...wanted) => tests.filter(({ status }) => wanted.includes(status)).length;

const passed = count("passed");
const failedTests = count("failed");
// A file that does not load, or whose hooks fail, has no failed test to show for it.
const failedFiles = files.filter(
  ({ status, assertionResults }) =>
    status === "failed" && !assertionResults.some((test) => test.status === "failed"),
).length;
const explained = failedTests + failedFiles > 0 ? 1 : 0;
// The step `npm test` fails with its tests: they count by themselves.
const failed = failedTests + failedFiles + Math.max(0, Number(failedSteps) - explained);
const skipped = tests.length - passed - failedTests;

if (skipped > 0) console.log(`${skipped} skipped`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
