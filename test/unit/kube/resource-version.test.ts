import { expect, it } from 'vitest';
import { compareResourceVersions } from '../../../src/kube/resource-version.ts';

it.each([
  { name: 'digits decide between equals in length', older: '123', newer: '124' },
  { name: 'the longer one is newer', older: '999', newer: '1000' },
  { name: 'past 2^53 nothing is rounded', older: '9007199254740993', newer: '9007199254740994' },
  { name: 'none is older than any', older: undefined, newer: '1' },
  { name: 'an empty one is older than any', older: '', newer: '0' },
])('$name', ({ older, newer }) => {
  expect(compareResourceVersions(older, newer)).toBeLessThan(0);
  expect(compareResourceVersions(newer, older)).toBeGreaterThan(0);
  expect(compareResourceVersions(newer, newer)).toBe(0);
});

it('takes no version and an empty one for the same', () => {
  expect(compareResourceVersions(undefined, '')).toBe(0);
});
