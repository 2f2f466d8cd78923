import { describe, expect, it } from 'vitest';
import { isClusterName } from '../../../src/testbed/cluster-name.ts';

describe('isClusterName', () => {
  it.each(['dev', 'a-1', '0'])('accepts %s', (name) => expect(isClusterName(name)).toBe(true));
  it.each(['', '.', '..', '../x', 'a/b', '-a', 'A', 'a'.repeat(41)])('refuses %j', (name) => expect(isClusterName(name)).toBe(false));
});
