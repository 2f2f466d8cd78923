import { expect, it } from 'vitest';
import { escapeXml, formatJUnit } from '../../../src/bench/junit.ts';

it('writes a suite per group with what failed and what was skipped', () => {
  const text = formatJUnit('bench', [
    { suite: 'a', name: 'p50' },
    { suite: 'b', name: 'p99', failure: '1 → 2' },
    { suite: 'a', name: 'RSS', skipped: 'one round' },
  ]);
  expect(text.split('\n')).toEqual([
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="bench" tests="3" failures="1" skipped="1">',
    '  <testsuite name="a" tests="2" failures="0" skipped="1">',
    '    <testcase classname="a" name="p50"/>',
    '    <testcase classname="a" name="RSS"><skipped message="one round"/></testcase>',
    '  </testsuite>',
    '  <testsuite name="b" tests="1" failures="1" skipped="0">',
    '    <testcase classname="b" name="p99"><failure message="1 → 2"/></testcase>',
    '  </testsuite>',
    '</testsuites>',
    '',
  ]);
});

it('escapes what XML reads as its own, and leaves out what it cannot hold', () => {
  expect(escapeXml(`<a b="c" d='e'>&\u0007`)).toBe('&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;');
});
