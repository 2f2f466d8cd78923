import { describe, expect, it, vi } from 'vitest';
import { createProgress, formatElapsed } from '../../../src/testbed/progress.ts';

function recorder(isTTY: boolean): { stream: { isTTY: boolean; columns: number; write: (text: string) => void }; text: () => string } {
  let written = '';
  const write = (text: string): void => {
    written += text;
  };
  return { stream: { isTTY, columns: 40, write }, text: () => written };
}

describe('progress in a log', () => {
  it('is a line per event, without a control character', () => {
    const { stream, text } = recorder(false);
    const report = createProgress(stream);
    report.step('Building the tool');
    report.update('5 of 9 packages');
    report.warn('slow disk');
    report.done('Built the tool');
    expect(text().replace(/\d+\.\d s/, 'T')).toBe('Building the tool …\n! slow disk\n✓ Built the tool (T)\n');
  });

  it('shows every 15 s that the step is alive and how far it is, and nothing after its end', () => {
    vi.useFakeTimers();
    try {
      const { stream, text } = recorder(false);
      const report = createProgress(stream);
      report.step('Building');
      vi.advanceTimersByTime(14_000);
      report.update('5 of 9 packages');
      vi.advanceTimersByTime(1_000);
      report.update('7 of 9 packages');
      vi.advanceTimersByTime(15_000);
      report.done('Built');
      vi.advanceTimersByTime(60_000);
      expect(text()).toBe('Building …\n  15 s · 5 of 9 packages\n  30 s · 7 of 9 packages\n✓ Built (30 s)\n');
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('progress on a terminal', () => {
  it('is one line that moves, never wraps, and is gone when the step is done', () => {
    vi.useFakeTimers();
    try {
      const { stream, text } = recorder(true);
      const report = createProgress(stream);
      report.step('Building a tool with a title longer than the terminal is wide');
      report.update('5 of 9');
      vi.advanceTimersByTime(1_000);
      expect(text()).toMatch(/Building a .*… · 1\.0 s · 5 of 9$/);
      report.update('many '.repeat(20));
      vi.advanceTimersByTime(1_000);
      report.done('Built');
      const frames = text().split('\r\u001b[2K');
      expect(new Set(frames).size).toBeGreaterThan(5);
      expect(Math.max(...frames.map((frame) => frame.length))).toBeLessThan(40);
      expect(frames.at(-1)).toBe('✓ Built (2.0 s)\n');
      expect(text().split('\n')).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends the step before when another begins', () => {
    const { stream, text } = recorder(true);
    const report = createProgress(stream);
    report.step('first');
    report.step('second');
    report.done('both');
    expect(text().split('\r\u001b[2K').at(-1)).toMatch(/^✓ both \(/);
  });
});

it.each([
  { ms: 0, text: '0.0 s' },
  { ms: 9_949, text: '9.9 s' },
  { ms: 59_000, text: '59 s' },
  { ms: 59_600, text: '1 min 0 s' },
  { ms: 185_000, text: '3 min 5 s' },
])('$ms ms read as $text', ({ ms, text }) => {
  expect(formatElapsed(ms)).toBe(text);
});
