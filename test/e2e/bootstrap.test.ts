import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collected, collectOutput } from '../../scripts/collect-output.ts';
import { projectFiles, projectRoot } from '../support/sources.ts';

const installMs = 300_000;
const pinned = realpathSync(process.execPath);

/** The machine's own Node: what a newcomer has. The pinned one where the machine has none. */
function findMachineNode(): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const candidate = join(folder, 'node');
    try {
      accessSync(candidate, constants.X_OK);
    } catch {
      continue;
    }
    if (!realpathSync(candidate).includes('node_modules')) return candidate;
  }
  return pinned;
}

describe('a fresh checkout', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'hourglass-fresh-'));
  const clone = join(scratch, 'clone');
  const node = findMachineNode();
  // Nothing of this project's own installation on the PATH, and nothing that this run's npm put into the environment.
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_|TSX_|CI$)/i.test(name))),
    PATH: [dirname(node), ...(process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))].join(
      delimiter,
    ),
    XDG_CACHE_HOME: join(scratch, 'cache'),
  };

  const run = (command: string, args: readonly string[], change: Record<string, string> = {}): Promise<Collected> =>
    collectOutput(spawn(command, args, { cwd: scratch, env: { ...env, ...change }, stdio: ['ignore', 'pipe', 'pipe'] }));
  const modules = join(clone, 'node_modules');
  const hourglass = join(clone, 'bin', 'hourglass');

  beforeAll(() => {
    // As git would check it out, with what is not committed yet.
    for (const path of projectFiles()) {
      mkdirSync(dirname(join(clone, path)), { recursive: true });
      copyFileSync(join(projectRoot, path), join(clone, path));
    }
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('says what is missing where there is no npm', async () => {
    const bare = join(scratch, 'bare');
    mkdirSync(bare);
    symlinkSync(node, join(bare, 'node'));
    const { code, stderr } = await run(node, [hourglass, 'version'], { PATH: bare });
    expect(stderr).toContain('npm is missing: install it');
    expect(stderr).not.toContain('    at ');
    expect(code).toBe(2);
  });

  it(
    'installs itself once for two who start at the same time, and runs under the pinned Node',
    async () => {
      // An installation that was cut off: the folder is there, the stamp is not.
      mkdirSync(join(modules, 'node', 'bin'), { recursive: true });
      writeFileSync(join(modules, 'node', 'bin', 'node'), '');
      const [one, other] = await Promise.all([run(hourglass, ['version']), run(hourglass, ['version'])]);
      expect(one, one.stderr).toMatchObject({ code: 0 });
      expect(other, other.stderr).toMatchObject({ code: 0 });
      expect(other.stdout).toBe(one.stdout);
      expect((one.stderr + other.stderr).match(/packages installed in/g)).toHaveLength(1);
      expect(execFileSync(join(modules, 'node', 'bin', 'node'), ['--version'], { encoding: 'utf8' })).toMatch(/^v24\./);
    },
    installMs,
  );

  it('is quiet from then on, and is found through a link from anywhere', async () => {
    symlinkSync(hourglass, join(scratch, 'hg'));
    expect(await run(join(scratch, 'hg'), ['version'])).toMatchObject({ code: 0, stderr: '' });
  });

  it('hands exit codes, signals and the working directory through', async () => {
    const script = join(scratch, 'script.mts');
    writeFileSync(
      script,
      `console.log(process.version, process.cwd());
       if (process.argv[2] === 'exit') process.exit(5);
       if (process.argv[2] === 'die') process.kill(process.pid, 'SIGKILL');
       process.on('SIGTERM', () => process.exit(9));
       setTimeout(() => {}, 60_000);`,
    );
    const bootstrap = join(clone, 'scripts', 'bootstrap.mjs');
    expect(await run(node, [bootstrap, script, 'exit'])).toMatchObject({
      code: 5,
      stdout: expect.stringMatching(/^v24\..* \S*hourglass-fresh-\S*\n$/),
    });
    expect((await run(node, [bootstrap, script, 'die'])).code).toBe(null);

    const told = spawn(node, [bootstrap, script], { cwd: scratch, env, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(told.stdout, 'data');
    told.kill('SIGTERM');
    expect(await once(told, 'close')).toEqual([9, null]);

    // Even a kill -9 of what was started leaves nothing running: the pipe closes when the last holder is gone.
    const killed = spawn(node, [bootstrap, script], { cwd: scratch, env, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'close');
  });

  it(
    'installs anew when the lock file changed',
    async () => {
      writeFileSync(join(clone, 'package-lock.json'), '{ not a lock file');
      const { code, stderr } = await run(hourglass, ['version']);
      expect(stderr).toContain('npm ci failed');
      expect(stderr).not.toContain('    at ');
      expect(code).toBe(2);
      expect(existsSync(join(modules, '.hourglass-install'))).toBe(false);
    },
    installMs,
  );
});
