import { describe, expect, it } from 'vitest';
import { parseBenchReport } from '../../../src/bench/read-report.ts';
import { makeBenchReport } from '../../support/bench-reports.ts';

const report = makeBenchReport({ seed: 1, rounds: 1, scenarios: ['update-serial'] });
const text = JSON.stringify(report);

describe('report.json', () => {
  it('is read as it was written', () => {
    expect(parseBenchReport(text, 'a.json')).toEqual(report);
  });

  it.each([
    { name: 'a file cut off in the middle', text: text.slice(0, 500), says: 'a.json: cut off in the middle' },
    { name: 'what is not JSON', text: '<html>', says: 'a.json: not JSON' },
    { name: 'an empty file', text: '', says: 'a.json: not JSON' },
    { name: 'JSON of another kind', text: '[1]', says: 'a.json: not a report of `hourglass bench`: it has no version' },
    { name: 'another version', text: '{"version":2}', says: 'a.json: a report of version 2; this hourglass reads version 1' },
    { name: 'a report without operators', text: JSON.stringify({ ...report, subjects: [] }), says: 'subjects' },
    { name: 'a block without a kind', text: text.replace('"kind":"timed"', '"kind":"guessed"'), says: 'blocks[0].kind' },
  ])('of $name is refused by name', ({ text: bad, says }) => {
    expect(() => parseBenchReport(bad, 'a.json')).toThrow(says);
  });
});
