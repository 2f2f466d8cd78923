import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseWish } from '../../performer/behaviour.ts';
import { codeOfCall, GrpcClient } from '../../support/grpc-clients.ts';
import { projectRoot } from '../../support/sources.ts';

interface Line {
  readonly kind: string;
  readonly [field: string]: unknown;
}

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** The test performer as a process of its own, as it will run in a pod. */
async function start(env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(projectRoot, 'test/performer/main.ts')], {
    env: { PATH: process.env.PATH, GRPC_PORT: '0', LAG_MS: '0', POD_NAME: 'performer-x', POD_UID: 'uid-1', VERSION: 'v2', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const lines: Line[] = [];
  let complaints = '';
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes');
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Line));
  child.stderr.on('data', (chunk) => {
    complaints += String(chunk);
  });
  const exit = once(child, 'exit').then(([code, signal]: unknown[]) => code ?? signal);
  const said = (kind: string): Promise<Line> =>
    vi.waitFor(
      () => {
        const line = lines.find((candidate) => candidate.kind === kind);
        if (line === undefined) throw new Error(`it did not say ${kind}: ${JSON.stringify(lines)} ${complaints}`);
        return line;
      },
      { timeout: 10_000 },
    );
  return { child, exit, said, lines, complaints: () => complaints };
}

async function serving(env: Record<string, string> = {}) {
  const performer = await start(env);
  const { port } = await performer.said('listening');
  return { ...performer, client: new GrpcClient(port as number) };
}

const wish = (value: object): string => JSON.stringify(value);

describe('the test performer', () => {
  it('says in each answer who it is and how often it began this task', async () => {
    const { client, said } = await serving();
    using _ = client;
    const answer = JSON.parse((await client.execute('1', 'ff')).result) as object;
    expect(answer).toMatchObject({ instance: 'performer-x', uid: 'uid-1', version: 'v2', id: '1', runs: 1, tasks: 1 });
    expect(await said('begun')).toMatchObject({ instance: 'performer-x', id: '1', runs: 1 });
  });

  it('does what a task asks for', async () => {
    const { client, lines } = await serving();
    using _ = client;
    expect(await codeOfCall(client.execute('fail', wish({ fail: 'UNAVAILABLE' })))).toBe('UNAVAILABLE');
    expect(await codeOfCall(client.execute('fail', wish({ fail: 'UNAVAILABLE' })))).toBe('UNAVAILABLE');
    // What it prints arrives after its answer, or before.
    await vi.waitFor(() => expect(lines.filter(({ kind }) => kind === 'begun').map(({ runs }) => runs)).toEqual([1, 2]));
    await expect(client.execute('throw', wish({ throw: 'secret' }))).rejects.toThrow('13 INTERNAL: the performer failed');
    await expect(client.execute('refuse', wish({ refuse: 'odd' }))).rejects.toThrow('3 INVALID_ARGUMENT: odd');
    expect(await codeOfCall(client.execute('typo', wish({ slepMs: 1 })))).toBe('INVALID_ARGUMENT');
    const startedMs = performance.now();
    await client.execute('sleep', wish({ sleepMs: 100 }));
    expect(performance.now() - startedMs).toBeGreaterThan(95);
    expect(await codeOfCall(client.execute('late', wish({ sleepMs: 10_000 }), { deadline: Date.now() + 50 }))).toBe('DEADLINE_EXCEEDED');
    await vi.waitFor(() => expect(lines).toContainEqual(expect.objectContaining({ kind: 'given-up', id: 'late' })));
  });

  it('crashes in the middle of a call', async () => {
    const { client, exit } = await serving();
    using _ = client;
    expect(await codeOfCall(client.execute('1', wish({ crash: 3 })))).toBe('UNAVAILABLE');
    expect(await exit).toBe(3);
  });

  it('drains at SIGTERM: the call in flight is answered, exit 0', async () => {
    const { client, child, exit, said } = await serving({ TASK_DELAY_MS: '1500', LAG_MS: '1000' });
    using _ = client;
    const call = client.execute('1', '');
    await said('begun');
    child.kill('SIGTERM');
    await said('drain');
    expect(await client.check('')).toBe('NOT_SERVING');
    expect(JSON.parse((await call).result)).toMatchObject({ id: '1' });
    expect(await exit).toBe(0);
  });

  it('exits 1 when the grace is over and a call is left without its answer', async () => {
    const { client, child, exit, said } = await serving({ GRACE_MS: '50' });
    using _ = client;
    const call = codeOfCall(client.execute('1', wish({ sleepMs: 60_000, deaf: true })));
    await said('begun');
    child.kill('SIGTERM');
    expect(await call).toBe('UNAVAILABLE');
    expect(await exit).toBe(1);
    expect(await said('end')).toMatchObject({ unanswered: 1 });
  });

  it('dies at SIGTERM, and the call with it', async () => {
    const { client, child, exit, said } = await serving({ AT_SIGTERM: 'die', TASK_DELAY_MS: '10000' });
    using _ = client;
    const call = codeOfCall(client.execute('1', ''));
    await said('begun');
    child.kill('SIGTERM');
    expect(await call).toBe('UNAVAILABLE');
    expect(await exit).toBe(143);
  });

  it('ignores SIGTERM', async () => {
    const { client, child, said } = await serving({ AT_SIGTERM: 'ignore' });
    using _ = client;
    child.kill('SIGTERM');
    await said('sigterm-ignored');
    expect(await client.check('')).toBe('SERVING');
    expect(await codeOfCall(client.execute('1', ''))).toBe('OK');
  });

  it('is never ready when told so, starts late, crashes after a while', async () => {
    const startedMs = performance.now();
    const { client, exit } = await serving({
      HEALTH: 'not-serving',
      START_DELAY_MS: '300',
      CRASH_AFTER_MS: '1500',
      TASK_FAIL: 'DATA_LOSS',
    });
    using _ = client;
    expect(performance.now() - startedMs).toBeGreaterThan(300);
    expect(await client.check('')).toBe('NOT_SERVING');
    expect(await codeOfCall(client.execute('1', ''))).toBe('DATA_LOSS');
    expect(await exit).toBe(1);
  });

  it('refuses tasks beyond its limit', async () => {
    const { client, said } = await serving({ MAX_IN_FLIGHT: '1', TASK_DELAY_MS: '10000' });
    using _ = client;
    void codeOfCall(client.execute('1', ''));
    await said('begun');
    expect(await codeOfCall(client.execute('2', ''))).toBe('RESOURCE_EXHAUSTED');
  });

  it('names the variable it cannot read, exit 2', async () => {
    const { exit, complaints } = await start({ AT_SIGTERM: 'explode' });
    expect(await exit).toBe(2);
    expect(complaints()).toContain('AT_SIGTERM');
  });
});

describe('a payload', () => {
  it.each(['', 'ff', '\u0000\u00ff'])('that is no object asks for nothing: %j', (payload) => {
    expect(parseWish(Buffer.from(payload))).toEqual({});
  });

  it.each(['{', '{"sleepMs":-1}', '{"fail":"OK"}'])('that asks for nonsense is refused: %s', (payload) => {
    expect(() => parseWish(Buffer.from(payload))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
