import { expect, it } from 'vitest';
import { readTasks } from '../../../src/bench/task-load.ts';

it('tasks come to how many there were, how many failed, and how long they took', () => {
  const end = { kind: 'end', sent: 40, answered: 38, failed: { 14: 2 }, dropped: 1, tookMs: { p50: 3, p90: 5, p99: 9, max: 12 } };
  const lines = ['{"kind":"begun"}', '{"kind":"answered","id":"task-0"}', JSON.stringify(end), ''];
  expect(readTasks(lines)).toEqual({
    'tasks sent': 40,
    'tasks failed': 2,
    'tasks not sent in time': 1,
    'tasks p50 ms': 3,
    'tasks p99 ms': 9,
    'tasks max ms': 12,
  });
});

it('tasks of a run that told no end come to nothing', () => {
  expect(readTasks(['{"kind":"begun"}', '{"kind":"end'])).toEqual({});
});
