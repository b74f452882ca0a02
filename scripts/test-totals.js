// Adds up reports of vitest's JSON reporter and prints `N passed, N failed` as its last line; a file of tests that could
// not even be loaded, or a report that is not there, counts as one failed.
import { readFileSync } from 'node:fs';

const reports = process.argv.slice(2).map(readReport);
const passed = reports.reduce((sum, report) => sum + report.numPassedTests, 0);
const failed = reports.reduce((sum, report) => sum + report.numFailedTests + unloaded(report), 0);
const skipped = reports.reduce((sum, report) => sum + report.numPendingTests + report.numTodoTests, 0);
if (skipped > 0) console.log(`${skipped} tests did not run`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    console.error(`test-totals: no report: ${error.message}`);
    return { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0, testResults: [] };
  }
}

function unloaded({ testResults }) {
  return testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  ).length;
}
