/** `npm run check`: types, format, lint, dead code. */
import { runChecks } from './suites/checks.ts';
import { formatTally } from './suites/tally.ts';

const tally = await runChecks();
console.log(formatTally(tally));
process.exitCode = tally.failed.length === 0 ? 0 : 1;
