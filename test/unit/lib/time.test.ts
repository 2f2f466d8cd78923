import { describe, expect, it } from 'vitest';
import { formatMicroTime, formatTime, parseTime } from '../../../src/lib/time.ts';

describe('times', () => {
  it('have the forms of Kubernetes', () => {
    const ms = Date.parse('2026-01-02T03:04:05.678Z');
    expect(formatTime(ms)).toBe('2026-01-02T03:04:05Z');
    expect(formatMicroTime(ms)).toBe('2026-01-02T03:04:05.678000Z');
    expect(parseTime(formatMicroTime(ms))).toBe(ms);
  });

  it.each([[undefined], [''], ['yesterday']])('that cannot be read are undefined: %s', (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});
