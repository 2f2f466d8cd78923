import { describe, expect, it } from 'vitest';
import { type AnswerLimits, Answers } from '../../../src/performer/answers.ts';

const limits: AnswerLimits = { count: 3, ageMs: 100, bytes: 1_000 };
const answer = (size = 1): { payloadDigest: string; result: Uint8Array } => ({ payloadDigest: 'd', result: new Uint8Array(size) });
const known = (answers: Answers, nowMs = 0): string => ['a', 'b', 'c', 'd'].filter((id) => answers.find(id, nowMs) !== undefined).join('');

describe('remembered answers', () => {
  it('lose the one not asked for longest when there are too many', () => {
    const answers = new Answers(limits);
    for (const id of ['a', 'b', 'c']) answers.remember(id, answer(), 0);
    answers.find('a', 0);
    answers.remember('d', answer(), 0);
    expect(known(answers)).toBe('acd');
  });

  it('lose as many as must go for the bytes of a new one, that one included when it alone is too large', () => {
    const answers = new Answers({ ...limits, bytes: 10 });
    for (const id of ['a', 'b']) answers.remember(id, answer(4), 0);
    answers.remember('c', answer(7), 0);
    expect(known(answers)).toBe('c');
    answers.remember('d', answer(11), 0);
    expect(known(answers)).toBe('');
    answers.remember('a', answer(10), 0);
    expect(known(answers)).toBe('a');
  });

  it('grow old from the day they were made, however often they are asked for', () => {
    const answers = new Answers(limits);
    answers.remember('a', answer(), 0);
    expect(known(answers, 99)).toBe('a');
    expect(known(answers, 100)).toBe('');
  });

  it('count an id once that is remembered twice', () => {
    const answers = new Answers({ ...limits, bytes: 10 });
    for (let times = 0; times < 5; times += 1) answers.remember('a', answer(6), 0);
    answers.remember('b', answer(4), 0);
    expect(known(answers)).toBe('ab');
  });

  it('may be switched off', () => {
    const answers = new Answers({ ...limits, count: 0 });
    answers.remember('a', answer(), 0);
    expect(known(answers)).toBe('');
  });
});
