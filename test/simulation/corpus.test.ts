import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runPlan } from '../../src/sim/run.ts';
import { parseRunFile } from '../../src/sim/run-file.ts';
import { tellStory } from '../../src/sim/story.ts';

const folder = fileURLToPath(new URL('corpus/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

/** Plans that once showed a defect. They stay for good. */
describe('every run that ever failed', () => {
  it.each(files)('%s holds now', async (name) => {
    const { plan } = parseRunFile(name, readFileSync(`${folder}${name}`, 'utf8'), (message) => new Error(message));
    const result = await runPlan(plan, { keeps: 5_000 });
    expect(result.violations.slice(0, 1).flatMap((violation) => tellStory(violation, result.lines, ''))).toEqual([]);
  });

  it('says which version a file of another format needs', () => {
    const fail = (message: string): Error => new Error(message);
    expect(() => parseRunFile('old.json', '{"format":0}', fail)).toThrow('old.json is of format 0, this version runs format');
    expect(() => parseRunFile('no.json', 'x', fail)).toThrow('no.json is not JSON');
    expect(() => parseRunFile('empty.json', '{"format":1}', fail)).toThrow('empty.json holds no plan');
  });
});
