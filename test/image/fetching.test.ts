import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPins } from '../../scripts/images/pins.ts';
import { projectRoot } from '../support/sources.ts';

const scratch = mkdtempSync(join(tmpdir(), 'hourglass-fetching-'));
/** A mirror on which every package is one and the same text, or none. */
let answer = { status: 404, body: '' };
const server = createServer((_request, response) => response.writeHead(answer.status).end(answer.body));
beforeAll(async () => void (await once(server.listen(0, '127.0.0.1'), 'listening')));
afterAll(() => {
  server.close();
  rmSync(scratch, { recursive: true, force: true });
});

async function make(env: Record<string, string>, ...args: readonly string[]): Promise<{ code: unknown; said: string }> {
  const all = ['scripts/bootstrap.mjs', 'scripts/image.ts', '--out', join(scratch, 'out'), ...args];
  const child = spawn(process.execPath, all, { cwd: projectRoot, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, , [code]] = await Promise.all([text(child.stderr), text(child.stdout), once(child, 'exit') as Promise<[number]>]);
  return { code, said };
}
const base = (cache: string, archive = `http://127.0.0.1:${(server.address() as AddressInfo).port}`) => {
  const env = { XDG_CACHE_HOME: join(scratch, cache), DEBIAN_ARCHIVE: archive, DEBIAN_SNAPSHOT: archive };
  return make(env, '--only', 'base', '--arch', 'amd64');
};

describe('npm run image', () => {
  it('says what to do when Debian cannot be reached', async () => {
    const { code, said } = await base('a', 'http://127.0.0.1:2');
    expect(code).toBe(1);
    expect(said).toMatch(/fetching base-files_.*\.deb:\n.*ECONNREFUSED/);
    expect(said).toContain('DEBIAN_ARCHIVE=http://MIRROR');
  });

  it('says what to do when a pinned version is gone', async () => {
    answer = { status: 404, body: '' };
    const { code, said } = await base('b');
    expect(code).toBe(1);
    expect(said).toMatch(/HTTP 404[\s\S]*npm run image -- --update-base/);
  });

  it('makes nothing of a file that is not the pinned one, and keeps none', async () => {
    answer = { status: 200, body: 'something else' };
    const { code, said } = await base('c');
    expect(code).toBe(1);
    expect(said).toContain('is not the file that pins.json names');
    expect(readdirSync(join(scratch, 'c', 'hourglass', 'images'))).toEqual([]);
  });

  it('fetches anew what was damaged in its cache', async () => {
    const [first] = readPins().debian.packages;
    const sha256 = first?.files.amd64.sha256 ?? '';
    const images = join(scratch, 'd', 'hourglass', 'images');
    mkdirSync(images, { recursive: true });
    writeFileSync(join(images, `${sha256.slice(0, 16)}-${first?.files.amd64.path.replace(/^.*\//, '')}`), 'damaged');
    answer = { status: 404, body: '' };
    expect((await base('d')).said).toContain('HTTP 404');
  });

  it.each([
    { args: ['--only', 'operater'], says: 'no such image: operater' },
    { args: ['--arch', 'riscv64'], says: 'no such processor: riscv64' },
    { args: ['--quick'], says: '--quick' },
  ])('refuses $args, and says how it is called', async ({ args, says }) => {
    const { code, said } = await make({}, ...args);
    expect(code).toBe(2);
    expect(said).toContain(says);
    expect(said).toContain('usage: npm run image');
  });
});
