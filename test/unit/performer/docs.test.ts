import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { defaults, type PerformerOptions } from '../../../src/performer/options.ts';
import { findFreePorts } from '../../../src/testbed/free-ports.ts';
import { codeOfCall, GrpcClient } from '../../support/grpc-clients.ts';
import { projectRoot } from '../../support/sources.ts';

const guide = readFileSync(join(projectRoot, 'docs/performer-kit.md'), 'utf8');

describe('docs/performer-kit.md', () => {
  it('shows a performer that runs as it stands', async () => {
    const code = /```ts\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
    const [port = 0] = await findFreePorts(1);
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', code], {
      cwd: projectRoot,
      env: { PATH: process.env.PATH, GRPC_PORT: String(port) },
      stdio: 'inherit',
    });
    const exit = once(child, 'exit');
    try {
      using client = new GrpcClient(port, { 'grpc.initial_reconnect_backoff_ms': 100 });
      await vi.waitFor(async () => expect(await client.check('')).toBe('SERVING'), { timeout: 10_000 });
      expect(await client.execute('1', 'abc')).toEqual({ id: '1', result: 'cba' });
      expect(await codeOfCall(client.execute('2', ''))).toBe('INVALID_ARGUMENT');
      child.kill('SIGTERM');
      await vi.waitFor(async () => expect(await client.check('')).toBe('NOT_SERVING'));
      expect(await client.execute('3', 'abc')).toEqual({ id: '3', result: 'cba' });
      expect(await exit).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('names every option, and its default', () => {
    const rows = guide.split('\n').filter((line) => line.startsWith('| `'));
    const documented = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
    const options: Record<keyof Required<PerformerOptions>, true> = {
      port: true,
      host: true,
      credentials: true,
      maxInFlight: true,
      maxMessageBytes: true,
      remember: true,
      abandonedMs: true,
      lagMs: true,
      graceMs: true,
      signals: true,
      onEvent: true,
    };
    expect(new Set(documented)).toEqual(new Set(Object.keys(options)));
    const { maxInFlight, abandonedMs, lagMs, graceMs, remember, maxMessageBytes, signals } = defaults;
    expect(maxMessageBytes).toBe(4 * 1024 * 1024);
    for (const said of [
      `| ${maxInFlight} |`,
      `| ${abandonedMs} |`,
      `| ${lagMs}, ${graceMs} |`,
      `count: ${remember.count}, ageMs: ${remember.ageMs}, bytes: ${remember.bytes}`,
      `| ${signals.join(', ')} |`,
    ]) {
      expect(rows.join('\n')).toContain(said);
    }
  });
});
