import { describe, expect, it } from 'vitest';
import type { Violation } from '../../../src/oracle/oracle.ts';
import { runPlan } from '../../../src/sim/run.ts';
import { scenarios } from '../../../src/sim/scenarios.ts';
import { tellStanding, tellStory } from '../../../src/sim/story.ts';
import { renderTimeline } from '../../../src/sim/timeline.ts';

const plan = scenarios.find(({ name }) => name === 'node-off')?.plan;
if (plan === undefined) throw new Error('the scenario is gone');
const result = await runPlan(plan, { keeps: 10_000 });
const violation: Violation = { oracle: 'S1', atMs: Date.UTC(2026, 0, 1) + 40_000, key: 'team-0/x', message: 'two "pods" <here> & there' };

/** Tags that are not closed in their order. */
function findUnclosed(svg: string): readonly string[] {
  const open: string[] = [];
  for (const [, close, name = '', self] of svg.matchAll(/<(\/?)([a-z]+)(?:\s+[\w-]+="[^"<>]*")*\s*(\/?)>/gi)) {
    if (close === '/') {
      if (open.pop() !== name) return [...open, `/${name}`];
    } else if (self !== '/') open.push(name);
  }
  return open;
}

describe('the timeline of a run', () => {
  const page = renderTimeline(plan, { ...result, violations: [violation] });
  const svg = page.slice(page.lastIndexOf('<svg'), page.lastIndexOf('</svg>') + 6);

  it('is a whole page with a well-formed drawing, and takes nothing from outside', () => {
    expect(page).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    expect(findUnclosed(svg)).toEqual([]);
    expect(svg.replace(/<[^<>]*>/g, '')).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/);
    expect(page).not.toMatch(/http|<script|<link|@import|url\(|NaN|undefined/);
  });

  it.each(['operator-0', 'node-1', 'team-0/x', 'pods', 'Service', 'node-off', 'faults end'])('has a lane or a mark of %s', (name) => {
    expect(svg).toContain(`>${name}</text>`);
  });

  it.each(['create', 'patch', 'serving', 'starting', 'leaving', 'True', 'user', 'service', 'off', 'violation'])(
    'shows what is %s',
    (look) => {
      expect(svg).toContain(`<g class="${look}"><title>`);
    },
  );

  it('tells a violation, as text', () => {
    expect(page).toContain('<b>00:40.000 S1</b> team-0/x: two &quot;pods&quot; &lt;here&gt; &amp; there');
  });

  it('draws the pods of a Performer with a violation, and folds those of many without', () => {
    const many = {
      ...result,
      violations: [violation],
      lines: [
        ...result.lines,
        ...Array.from({ length: 20 }, (_, index) => ({
          atMs: 5,
          lane: 'performer' as const,
          who: `team-0/q${index}`,
          what: 'comes',
          state: 'unknown',
        })),
      ],
    };
    const [open = '', folded = ''] = renderTimeline(plan, many).split('<details>');
    expect(open.match(/>pods<\/text>/g)).toHaveLength(1);
    expect(open.indexOf('>team-0/x<')).toBeLessThan(open.indexOf('>team-0/q0<'));
    expect(folded).toContain('>team-0/q19<');
  });
});

describe('the story of a violation', () => {
  const told = tellStory(violation, result.lines, 'One pod.', 'simulate --seed 1');

  it('is of its Performer and the faults that struck it, up to the moment itself', () => {
    const text = told.join('\n');
    expect(text).toContain('create {"image":"avs:1"');
    expect(text).toContain('node-off                     node-1 for 60000 ms');
    expect(text).toContain('comes, by operator-0');
    expect(text).not.toMatch(/node-2|@\d+|changes$/m);
    expect(told.filter((line) => / {2}0[1-9]:/.test(line))).toEqual([]);
  });

  it('ends with what is wrong, what should be, and how to see more', () => {
    expect(told.slice(-3)).toEqual([
      '  00:40.000  VIOLATION two "pods" <here> & there',
      '  S1 asks: One pod.',
      '  see more: simulate --seed 1',
    ]);
  });

  it('leaves out what struck others', () => {
    const others = [
      { atMs: 1, lane: 'fault' as const, who: 'pod-deleted', what: 'team-0/performer-y', of: 'team-0/performer-y' },
      ...result.lines,
    ];
    expect(tellStory(violation, others, '').join('\n')).not.toContain('performer-y');
  });
});

it('says how things stand at a moment', async () => {
  const { lines, simulatedMs } = await runPlan(plan, { keeps: 10_000, untilMs: 32_000 });
  const told = tellStanding(lines, simulatedMs).join('\n');
  expect(told).toContain('How things stand at 00:32.000');
  expect(told).toContain('operators: operator-0 runs');
  expect(told).toMatch(/not ready: node-1 \S*unreachable/);
  expect(told).toContain('faults that last: node-off node-1 for 60000 ms');
  expect(told).toMatch(/team-0\/x +Ready False .*; pods: performer-x out, performer-x-\S+ starting/);
});
