import { describe, expect, it } from 'vitest';
import { experiments } from '../../../chaos/experiments/catalogue.ts';
import { ourSubject, plainDeployment, type Subject, whyNot } from '../../../chaos/subject.ts';

const ours = ourSubject('');
const { lease: _, ...unled } = ours.operator as NonNullable<Subject['operator']>;

describe('what cannot be done', () => {
  it.each([
    { to: 'the operator of this product', subject: ours, out: [] },
    {
      to: 'a subject without an operator',
      subject: plainDeployment,
      out: ['C2b', 'C5', 'C7h', 'C10a', 'C12c', 'C12d', 'C12e', 'C12f', 'C12g', 'C16', 'C17'],
    },
    {
      to: 'an operator without a Lease',
      subject: { ...ours, operator: unled },
      out: ['C2b', 'C5', 'C7h', 'C10a', 'C12c', 'C12d', 'C12e', 'C12g'],
    },
    { to: 'one that runs for moments', subject: { ...ours, runsOnce: true } satisfies Subject, out: ['C7h', 'C12c', 'C12g', 'C17'] },
    { to: 'one that starts pods where the scheduler will', subject: { ...ours, ignoresScheduling: true } satisfies Subject, out: ['C7h'] },
  ])('to $to is known', ({ subject, out }) => {
    expect(experiments.filter((one) => whyNot(one, subject) !== undefined).map(({ id }) => id)).toEqual(out);
  });
});
