import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { statFields } from '../../../src/testbed/proc.ts';

const module = fileURLToPath(new URL('../../../src/bench/command.ts', import.meta.url));
const isRunning = (pid: number): boolean => !['Z', undefined].includes(statFields(pid)[0]);

// Through /proc, which only Linux has.
it.runIf(process.platform === 'linux')('a command ends, with its children, when the runner is killed outright', async () => {
  const script = `import { startCommand } from ${JSON.stringify(module)};
    const { pid } = startCommand(['sh', '-c', 'sleep 60 & sleep 60'], {}, '/dev/null');
    console.log(pid); setInterval(() => {}, 1000);`;
  const runner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(runner.stdout, 'data')) as [Buffer];
  const pid = Number(line);
  expect(isRunning(pid)).toBe(true);
  runner.kill('SIGKILL');
  for (let tries = 0; tries < 100 && isRunning(pid); tries += 1) await sleep(50);
  expect(isRunning(pid)).toBe(false);
});
