import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtInSubjects, deployedEnv, lineOf, readAdapter, type SubjectStart } from '../../../src/bench/subject-start.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-adapter-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function read(content: string): Promise<SubjectStart> {
  const path = join(folder, 'rival.yaml');
  await writeFile(path, content);
  return readAdapter(path);
}

describe('an adapter file', () => {
  it('may name a program and nothing else', async () => {
    expect(await read('command: manager')).toEqual({ command: 'manager', args: [], env: {} });
  });

  it('may be JSON, and say all there is to say', async () => {
    const start = {
      command: '/bin/manager',
      args: ['--port', '{port}'],
      env: { MODE: 'fast' },
      workDir: '/srv',
    };
    expect(await read(JSON.stringify(start))).toEqual(start);
  });

  it('means paths beside itself', async () => {
    expect(await read('command: ./bin/manager\nworkDir: data')).toEqual({
      command: join(folder, 'bin/manager'),
      workDir: join(folder, 'data'),
      args: [],
      env: {},
    });
  });

  it.each([
    { name: 'no program', content: 'args: []', why: /command: / },
    { name: 'an empty program', content: "command: ''", why: /command: / },
    { name: 'nothing', content: '', why: /the file: / },
    { name: 'a list', content: '- manager', why: /the file: / },
    { name: 'arguments in one text', content: 'command: m\nargs: --tuned', why: /args: / },
    { name: 'a number among the arguments', content: 'command: m\nargs: [--workers, 10]', why: /args\.1: / },
    { name: 'a number in the environment', content: 'command: m\nenv: { WORKERS: 10 }', why: /env\.WORKERS: / },
    { name: 'a field nobody reads', content: 'command: m\nworkdir: /srv', why: /workdir/ },
    { name: 'no YAML', content: 'command: [', why: /neither YAML nor JSON/ },
  ])('is refused with $name, and told why', async ({ content, why }) => {
    const trouble = read(content);
    await expect(trouble).rejects.toThrow(why);
    await expect(trouble).rejects.toThrow(`adapter file ${join(folder, 'rival.yaml')}: `);
  });

  it('is refused where there is none', async () => {
    await expect(readAdapter(join(folder, 'none.yaml'))).rejects.toThrow('none.yaml: cannot be read');
  });
});

describe('the line for a shell', () => {
  const run = (start: SubjectStart): string => execFileSync('sh', ['-c', lineOf(start, 81)], { encoding: 'utf8' });

  it('puts the port wherever its place is, and keeps what a shell would read', () => {
    const args = ['-c', 'echo "$AT" "$1"; pwd', 'sh', ":{port} it's $HOME *"];
    expect(run({ command: 'sh', args, env: { AT: '127.0.0.1:{port}' }, workDir: '/' })).toBe("127.0.0.1:81 :81 it's $HOME *\n/\n");
  });

  it.each(Object.entries(builtInSubjects))('has a place in %s for the address of its health', (_, { args }) => {
    expect(args.join(' ')).toContain('127.0.0.1:{port}');
  });
});

describe('ours', () => {
  it('is measured with the environment that its Deployment gives it', () => {
    expect(deployedEnv()).toEqual({ NODE_OPTIONS: '--max-semi-space-size=4' });
  });
});
