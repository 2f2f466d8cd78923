import { describe, expect, it } from 'vitest';
import { parseFault } from '../../../../src/testbed/fault-proxy/parse-fault.ts';

describe('parseFault', () => {
  it.each([
    { text: 'goaway', rule: { fault: { name: 'goaway' } } },
    { text: 'goaway=abrupt', rule: { fault: { name: 'goaway', variant: 'abrupt' } } },
    { text: 'delay=2s', rule: { fault: { name: 'delay', ms: 2_000 } } },
    { text: 'throttle=bare,1.5s', rule: { fault: { name: 'throttle', variant: 'bare', ms: 1_500 } } },
    {
      text: 'reset=stream@verb:watch,resource:pods,nth:3,times:2,p:0.5',
      rule: { fault: { name: 'reset', variant: 'stream' }, match: { verb: 'watch', resource: 'pods', nth: 3 }, times: 2, probability: 0.5 },
    },
    { text: 'bad-json@path:/api/v1/.*:x', rule: { fault: { name: 'bad-json' }, match: { path: /\/api\/v1\/.*:x/ } } },
  ])('reads $text', ({ text, rule }) => {
    expect(parseFault(text)).toEqual(rule);
  });

  it.each([
    { text: 'dleay', says: 'use one of delay' },
    { text: 'goaway=rude', says: 'give graceful, refusing, abrupt' },
    { text: 'refuse=1s', says: 'it takes nothing' },
    { text: 'delay=soon', says: 'a length such as 300ms' },
    { text: 'delay@verb:read', says: 'give verb:(get|' },
    { text: 'delay@p:2', says: 'p:0.1' },
  ])('refuses $text and says what it can be', ({ text, says }) => {
    expect(() => parseFault(text)).toThrow(says);
  });
});
