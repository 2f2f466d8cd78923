import { describe, expect, it } from 'vitest';
import { parseRunFile, renderRunFile } from '../../../src/sim/run-file.ts';
import { planSwarm } from '../../../src/sim/run-plan.ts';

const fail = (message: string): Error => new Error(message);

describe('the file of a run', () => {
  const plan = planSwarm(3);
  const text = renderRunFile(plan, { oracle: 'S1', atMs: 0, key: 'a/x', message: 'two pods' }, '1.2.3');

  it('says what it is about, which version wrote it, and gives the same plan again', () => {
    expect(parseRunFile('f.json', text, fail)).toEqual({ format: 1, build: '1.2.3', note: 'S1 a/x: two pods', plan });
  });

  it('that another version must run names that version, where it is told', () => {
    const unknown = text.replace('"faults": [', '"faults": [{ "id": "flood", "atMs": 1 },');
    expect(() => parseRunFile('f.json', unknown, fail)).toThrow('run it with version 1.2.3, which wrote it');
    expect(() => parseRunFile('f.json', unknown.replace('"build": "1.2.3",', ''), fail)).toThrow('run it with the version that wrote it');
  });
});
