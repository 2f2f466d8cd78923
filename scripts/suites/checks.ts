import { runCommand } from './run-command.ts';
import { emptyTally, type Tally } from './tally.ts';

const checks: readonly { readonly name: string; readonly command: string; readonly args: readonly string[]; readonly remedy?: string }[] = [
  { name: 'types', command: 'tsc', args: ['--noEmit', '-p', '.'] },
  { name: 'format and style', command: 'biome', args: ['check', '--error-on-warnings'], remedy: 'biome check --write' },
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'dead code', command: 'knip', args: [] },
];

/** Runs every static check, whatever the ones before said; each counts as one. */
export async function runChecks(): Promise<Tally> {
  let passed = 0;
  const failed: string[] = [];
  for (const { name, command, args, remedy } of checks) {
    const { code, output, durationMs } = await runCommand(command, args, { show: false });
    const line = `${[command, ...args].join(' ')} (${(durationMs / 1000).toFixed(1)} s)`;
    if (code === 0) {
      passed += 1;
      console.log(` ✓ ${name}: ${line}`);
    } else {
      failed.push(`check: ${name}: ${command}`);
      console.log(` ✗ ${name}: ${line}\n${output.trimEnd()}${remedy === undefined ? '' : `\n   mended by: npx ${remedy}`}`);
    }
  }
  return { ...emptyTally, passed, failed };
}
