import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { buildCli } from '../../scripts/build.ts';

type Metafile = Awaited<ReturnType<typeof buildCli>>;

const dir = await mkdtemp(join(tmpdir(), 'hourglass-bundle-'));
const metafile = await buildCli(dir);
afterAll(() => rm(dir, { recursive: true, force: true }));

/** The outputs that are loaded when `hourglass.js` is: it and what it imports statically, but no lazy chunk. */
function loadedAtStart({ outputs }: Metafile): readonly string[] {
  const entry = Object.keys(outputs).find((path) => path.endsWith('/hourglass.js'));
  if (entry === undefined) throw new Error('the bundle has no hourglass.js');
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: next, kind } of outputs[path]?.imports ?? []) if (kind === 'import-statement' && next in outputs) visit(next);
  };
  visit(entry);
  return [...seen];
}

describe('what once loads', () => {
  const loaded = loadedAtStart(metafile);

  it('is at most 250 KB', () => {
    const bytes = loaded.reduce((sum, path) => sum + (metafile.outputs[path]?.bytes ?? 0), 0);
    expect(bytes).toBeGreaterThan(50_000);
    expect(bytes).toBeLessThanOrEqual(250_000);
  });

  it('holds nothing of the testbed, no YAML, no certificates, no client-node, no pino, no prom-client and no zod', () => {
    const inputs = loaded.flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {}));
    expect(
      inputs.filter((path) =>
        /src\/(testbed|sim)\/|node_modules\/(yaml|@kubernetes|@peculiar|undici|reflect-metadata|pino|prom-client|zod|@opentelemetry)\//.test(
          path,
        ),
      ),
    ).toEqual([]);
    expect(inputs.some((path) => path.endsWith('src/reconcile/reconcile.ts'))).toBe(true);
  });
});

describe('the bundle', () => {
  const run = promisify(execFile);
  const start = (dist: string, ...args: string[]) => run(process.execPath, [join(dist, 'hourglass.js'), ...args], { env: {} });
  const version = /^hourglass \d/;

  it('starts from code that V8 takes as it is', async () => {
    const takes = `const { Script } = require('node:vm'), { readFileSync } = require('node:fs'), [, file] = process.argv;
      const cachedData = readFileSync(file.replace(/js$/, 'cache'));
      console.log(new Script(require('node:module').wrap(readFileSync(file, 'utf8')), { filename: file, cachedData }).cachedDataRejected);`;
    const { stdout } = await run(process.execPath, ['-e', takes, join(dir, 'core.js')], { env: {} });
    expect(stdout).toBe('false\n');
  });

  it.each([
    { trouble: 'spoilt', spoil: (file: string) => writeFile(file, 'no code') },
    { trouble: 'missing', spoil: (file: string) => rm(file) },
  ])('starts where that code is $trouble', async ({ spoil }) => {
    const copy = await mkdtemp(join(tmpdir(), 'hourglass-bundle-'));
    try {
      await cp(dir, copy, { recursive: true });
      await spoil(join(copy, 'core.cache'));
      expect((await start(copy, 'version')).stdout).toMatch(version);
    } finally {
      await rm(copy, { recursive: true });
    }
  });

  it('starts where V8 has other flags', async () => {
    const { stdout, stderr } = await run(process.execPath, ['--stack-size=900', join(dir, 'hourglass.js'), 'version'], { env: {} });
    expect([stdout, stderr]).toEqual([expect.stringMatching(version), '']);
  });

  it('has one core, which its lazy parts share', async () => {
    const tell = `data:text/javascript,import{registerHooks}from'node:module';
      registerHooks({load(url,context,next){process.stderr.write(url+'\\n');return next(url,context)}})`;
    const args = ['--import', tell.replaceAll('\n', ''), join(dir, 'hourglass.js'), 'plan', '--snapshot', join(dir, 'no-such-file')];
    const { stderr } = await run(process.execPath, args, { env: {} }).catch((error: { stderr: string }) => error);
    expect(stderr).toContain('/chunks/inspect-');
    expect(stderr).not.toContain('/core.js');
  });

  it('hands a slow reader of its output all of it', async () => {
    const piped = '"$0" "$1" crd | (sleep 2; cat)';
    const { stdout } = await run('sh', ['-c', piped, process.execPath, join(dir, 'hourglass.js')]);
    const file = new URL('../../manifests/crd/hourglass.eigenlayer.io_performers.yaml', import.meta.url);
    expect(stdout).toBe(await readFile(file, 'utf8'));
  });

  it.each([
    { command: 'once', env: { HTTPS_PROXY: 'http://127.0.0.1:1' } },
    { command: 'watch', env: {} },
  ])('loads no second HTTP client of Node in $command', async ({ command, env }) => {
    const tell = `data:text/javascript,process.on('exit',()=>process.stderr.write('loaded='+process.moduleLoadList.join()))`;
    const kubeconfig = join(dir, 'kubeconfig');
    const cluster = { name: 'a', cluster: { server: 'https://192.0.2.1' } };
    const context = { name: 'a', context: { cluster: 'a', user: 'a' } };
    const user = { name: 'a', user: { token: 'a' } };
    await writeFile(kubeconfig, JSON.stringify({ clusters: [cluster], contexts: [context], users: [user], 'current-context': 'a' }));
    const args = [
      '--import',
      tell,
      join(dir, 'hourglass.js'),
      command,
      '--kubeconfig',
      command === 'once' ? kubeconfig : `${kubeconfig}-none`,
    ];
    const { stderr } = await run(process.execPath, args, { env }).catch((error: { stderr: string }) => error);
    const [, loaded = ''] = /loaded=(.*)/.exec(stderr) ?? [];
    expect(loaded.split(','), stderr).toContain('NativeModule http');
    expect(loaded.split(',').filter((name) => name.includes('undici'))).toEqual([]);
  });

  it('holds of prom-client only what serves figures', () => {
    const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
    const parts = inputs.filter((path) => path.includes('node_modules/prom-client/'));
    expect(parts.some((path) => path.endsWith('/registry.js'))).toBe(true);
    expect(parts.filter((path) => path.endsWith('/pushgateway.js'))).toEqual([]);
  });

  it.each([
    { command: 'once', kept: true },
    { command: 'watch', kept: false },
  ])('keeps room for new objects small in $command: $kept', async ({ command, kept }) => {
    const fill = `data:text/javascript,import{getHeapSpaceStatistics}from'node:v8';process.on('exit',()=>{const all=[];
      for(let turn=0;turn<3e5;turn+=1)all.push({turn});
      process.stderr.write('new='+getHeapSpaceStatistics().find((space)=>space.space_name==='new_space').space_size)})`;
    const args = ['--import', fill.replaceAll('\n', ''), join(dir, 'hourglass.js'), command, '--kubeconfig', join(dir, 'no-such-file')];
    const { stderr } = await run(process.execPath, args, { env: {} }).catch((error: { stderr: string }) => error);
    // Two to seven MiB, as collections fall; sixteen where V8 may grow it as it likes.
    expect(Number(/new=(\d+)/.exec(stderr)?.[1]) <= 8 * 1024 * 1024).toBe(kept);
  });
});
