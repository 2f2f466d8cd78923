import { describe, expect, it } from 'vitest';
import type { Match, Rule } from '../../../../src/testbed/fault-proxy/faults.ts';
import { describeRequest, isAbout, RuleBook } from '../../../../src/testbed/fault-proxy/rule-book.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const list = describeRequest('GET', '/api/v1/pods');
const create = describeRequest('POST', '/api/v1/namespaces/a/pods');
const watch = describeRequest('GET', '/api/v1/pods?watch=true');

function book(rules: readonly Rule[], seed = 7): RuleBook {
  const made = new RuleBook(seed, new FakeClock());
  made.set(rules);
  return made;
}

const namesOf = (faults: readonly { name: string }[]): string[] => faults.map(({ name }) => name);

describe('RuleBook', () => {
  it('strikes what a rule is about and nothing else', () => {
    const rules = book([{ fault: { name: 'throttle' }, match: { verb: 'create' } }]);
    expect(namesOf(rules.draw('request', list))).toEqual([]);
    expect(namesOf(rules.draw('request', create))).toEqual(['throttle']);
  });

  it('strikes the nth occasion alone', () => {
    const rules = book([{ fault: { name: 'reset' }, match: { verb: 'list', nth: 2 } }]);
    expect([list, create, list, list].map((info) => rules.draw('request', info).length)).toEqual([0, 0, 1, 0]);
  });

  it('strikes as often as it may', () => {
    const rules = book([{ fault: { name: 'reset' }, times: 2 }]);
    expect([1, 2, 3].map(() => rules.draw('request', list).length)).toEqual([1, 1, 0]);
    expect(rules.counts).toEqual({ reset: 2 });
  });

  it('befalls bodies as a whole, and watches event by event', () => {
    const rules = book([{ fault: { name: 'bad-json' } }, { fault: { name: 'duplicate-event' } }]);
    expect(namesOf(rules.draw('request', list))).toEqual(['bad-json']);
    expect(namesOf(rules.draw('request', watch))).toEqual([]);
    expect(namesOf(rules.draw('event', watch))).toEqual(['bad-json', 'duplicate-event']);
  });

  it('keeps what only watches can suffer from other requests', () => {
    const rules = book([{ fault: { name: 'expired' } }, { fault: { name: 'silent-stream' } }]);
    expect(namesOf(rules.draw('request', list))).toEqual([]);
    expect(namesOf(rules.draw('request', watch))).toEqual(['expired', 'silent-stream']);
  });

  it('draws the same chances from the same seed', () => {
    const draw = (seed: number): number[] => {
      const rules = book([{ fault: { name: 'delay' }, probability: 0.5 }], seed);
      return Array.from({ length: 64 }, () => rules.draw('request', list).length);
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw(7).reduce((sum, struck) => sum + struck, 0)).toBeGreaterThan(16);
  });

  it('forgets an injected fault when its time is over, and keeps it when rules are replaced', async () => {
    const clock = new FakeClock();
    const rules = new RuleBook(7, clock);
    let ended = 0;
    rules.inject({ fault: { name: 'refuse' } }, 500, () => {
      ended += 1;
    });
    rules.set([]);
    expect(rules.refusing()).toEqual({ name: 'refuse' });
    await clock.advance(500);
    expect(rules.refusing()).toBeUndefined();
    expect(ended).toBe(1);
    expect(clock.pending).toBe(0);
  });
});

describe('describeRequest', () => {
  it.each([
    { method: 'GET', path: '/api/v1/pods?limit=500', verb: 'list', resource: 'pods', watch: false },
    { method: 'GET', path: '/api/v1/pods?watch=true&resourceVersion=7', verb: 'watch', resource: 'pods', watch: true },
    { method: 'GET', path: '/api/v1/namespaces/a/pods?watch=1', verb: 'watch', resource: 'pods', watch: true },
    { method: 'GET', path: '/api/v1/namespaces/a/pods/x', verb: 'get', resource: 'pods', watch: false },
    { method: 'GET', path: '/api/v1/namespaces', verb: 'list', resource: 'namespaces', watch: false },
    { method: 'GET', path: '/api/v1/namespaces/a', verb: 'get', resource: 'namespaces', watch: false },
    { method: 'POST', path: '/apis/coordination.k8s.io/v1/namespaces/a/leases', verb: 'create', resource: 'leases', watch: false },
    { method: 'PATCH', path: '/apis/g.example/v1/namespaces/a/widgets/x/status', verb: 'patch', resource: 'widgets', watch: false },
    { method: 'DELETE', path: '/api/v1/nodes/n', verb: 'delete', resource: 'nodes', watch: false },
    { method: 'GET', path: '/version', verb: 'list', resource: '', watch: false },
  ])('reads $method $path as $verb of $resource', ({ method, path, ...expected }) => {
    expect(describeRequest(method, path)).toEqual({ method, path, ...expected });
  });
});

describe('isAbout', () => {
  const watch = describeRequest('GET', '/api/v1/namespaces/a/pods?watch=true');
  it.each<{ match: Match; about: boolean }>([
    { match: {}, about: true },
    { match: { verb: 'watch', resource: 'pods' }, about: true },
    { match: { verb: 'list' }, about: false },
    { match: { watch: false }, about: false },
    { match: { method: 'POST' }, about: false },
    { match: { resource: 'services' }, about: false },
    { match: { path: /namespaces\/a\// }, about: true },
    { match: { path: /namespaces\/b\// }, about: false },
  ])('$match: $about', ({ match, about }) => {
    expect(isAbout(match, watch)).toBe(about);
  });
});
