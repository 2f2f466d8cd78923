import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readAdapter } from '../../../src/bench/subject-start.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

describe('the operator that is slowed on purpose', () => {
  it.each([
    { file: '10ms', delay: '10' },
    { file: 'none', delay: '0' },
  ])('is started by the adapter $file with $delay ms', async ({ file, delay }) => {
    const { command, args, workDir } = await readAdapter(`${root}/tools/peers/slowed/${file}.yaml`);
    expect([command, args, workDir]).toEqual(['node', ['scripts/slowed-operator.ts', '--write-delay-ms', delay], root]);
  });
});
