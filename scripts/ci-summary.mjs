// Prints what vitest's JSON report counts as one line, `N passed, N failed`, and fails when the run did.
// Usage: node scripts/ci-summary.mjs REPORT STATUS   (STATUS: the test runner's own exit status)
import { readFileSync } from "node:fs";

const [file = "", status = "1"] = process.argv.slice(2);

function counts() {
  try {
    const report = JSON.parse(readFileSync(file, "utf8"));
    const files = report.testResults.filter(
      (suite) => suite.status === "failed" && suite.assertionResults.length === 0,
    );
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + files.length,
      skipped: report.numPendingTests,
    };
  } catch (error) {
    console.error(`ci-summary: no usable test report: ${error.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

const { passed, failed, skipped } = counts();
// An unhandled error fails the run though every test passed.
const failures = failed === 0 && status !== "0" ? 1 : failed;
console.log(`${passed} passed, ${failures} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failures === 0 ? 0 : 1);
