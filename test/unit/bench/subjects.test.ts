import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSubject } from '../../../src/bench/subjects.ts';
import { silentProgress } from '../../../src/testbed/progress.ts';

describe('a subject', () => {
  it.each(['A=1 exec rival --x=y', 'kubectl apply -f rival.yaml'])(
    'is a command under a name, which may hold anything: %s',
    async (command) => {
      expect(await readSubject(`rival=${command}`, silentProgress)).toEqual({ name: 'rival', command });
    },
  );

  it('is what an adapter file says, quoted for the shell', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hourglass-adapter-'));
    try {
      writeFileSync(join(dir, 'rival.yaml'), 'command: rival\nargs: ["it\'s", "a b"]\nenv: { A: "1 2" }\nworkDir: .\n');
      const { command } = await readSubject(`rival=@${join(dir, 'rival.yaml')}`, silentProgress);
      expect(command).toBe(String.raw`cd '${dir}' && exec env A='1 2' 'rival' 'it'\''s' 'a b'`);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it.each(['nobody', 'constructor'])('by a name alone is one that is built in, which %s is not', async (name) => {
    await expect(readSubject(name, silentProgress)).rejects.toThrow('ours-again, controller-runtime, controller-runtime-tuned, floor');
  });
});
