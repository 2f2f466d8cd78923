import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

  it('holds nothing of the testbed, no YAML, no certificates, no client-node, no pino and no prom-client', () => {
    const inputs = loaded.flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {}));
    expect(
      inputs.filter((path) =>
        /src\/(testbed|sim)\/|node_modules\/(yaml|@kubernetes|@peculiar|undici|reflect-metadata|pino|prom-client|@opentelemetry)\//.test(
          path,
        ),
      ),
    ).toEqual([]);
    expect(inputs.some((path) => path.endsWith('src/reconcile/reconcile.ts'))).toBe(true);
  });
});
