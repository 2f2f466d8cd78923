import { describe, expect, it } from 'vitest';
import { experiments } from '../../../chaos/experiments/catalogue.ts';
import { ourSubject, plainDeployment, type Subject, whyLeftOut } from '../../../chaos/subject.ts';

const ours = ourSubject('');
const armed = { isTestbeds: true, hasAgent: true };
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
    expect(experiments.filter((one) => whyLeftOut(one, subject, armed) !== undefined).map(({ id }) => id)).toEqual(out);
  });

  it.each([
    {
      where: 'no agent of nodes answers',
      armed: { isTestbeds: true, hasAgent: false },
      out: /^C(?:7[a-h]?|8)$/,
      says: 'none answers here',
    },
    {
      where: 'the testbed has not started it',
      armed: { isTestbeds: false, hasAgent: true },
      out: /^C1[24567]/,
      says: 'a cluster of the testbed',
    },
  ])('on a cluster where $where is known', ({ armed: by, out, says }) => {
    const left = experiments.map((one) => ({ id: one.id, why: whyLeftOut(one, ours, by) })).filter(({ why }) => why !== undefined);
    expect(left.map(({ id }) => id)).toEqual(experiments.map(({ id }) => id).filter((id) => out.test(id)));
    expect(left.every(({ why }) => why?.includes(says))).toBe(true);
  });
});
