import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lane } from '../../../src/controller/lane.ts';

const step = fc.record({
  do: fc.constantFrom('add', 'add', 'delete', 'delete the first'),
  text: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
});

describe('Lane', () => {
  it('keeps the order in which texts came, whatever is added to it and deleted from it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const lane = new Lane<number>();
        const kept: { text: string; value: number }[] = [];
        for (const [value, { do: what, text }] of steps.entries()) {
          const at = what === 'delete the first' ? 0 : kept.findIndex((one) => one.text === text);
          if (what !== 'add') {
            const [gone] = at < 0 ? [] : kept.splice(at, 1);
            expect(lane.delete(what === 'delete' ? text : (lane.first?.text ?? text))).toBe(gone !== undefined);
          } else {
            if (at < 0) kept.push({ text, value });
            lane.add(text, value);
          }
          expect([lane.size, lane.has(text), lane.get(text)]).toEqual([
            kept.length,
            kept.some((one) => one.text === text),
            kept.find((one) => one.text === text)?.value,
          ]);
          if (kept[0] === undefined) expect(lane.first).toBeUndefined();
          else expect(lane.first).toMatchObject(kept[0]);
        }
        const rest: string[] = [];
        for (let next = lane.first; next !== undefined; next = lane.first) {
          rest.push(next.text);
          lane.delete(next.text);
        }
        expect(rest).toEqual(kept.map(({ text }) => text));
      }),
    );
  });
});
