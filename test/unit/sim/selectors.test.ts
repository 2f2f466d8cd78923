import { describe, expect, it } from 'vitest';
import { parseFieldSelector, parseLabelSelector } from '../../../src/sim/selectors.ts';

const object = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'team-a', name: 'p', labels: { app: 'x', tier: '' } },
  spec: { nodeName: 'node-1' },
};

describe('a label selector', () => {
  it.each([
    ['', true],
    ['app=x', true],
    ['app==x', true],
    ['app=y', false],
    ['app!=y', true],
    ['app!=x', false],
    ['none!=x', true],
    ['app in (x, y)', true],
    ['app in (y)', false],
    ['none in (x)', false],
    ['app notin (y,z)', true],
    ['app notin (x)', false],
    ['none notin (x)', true],
    ['tier', true],
    ['none', false],
    ['!none', true],
    ['!app', false],
    ['app=x,tier=', true],
    ['app in (x,y),none', false],
    ['toString', false],
  ])('%j gives %j', (text, selected) => {
    expect(parseLabelSelector(text)(object)).toBe(selected);
  });

  it('that cannot be read is refused', () => {
    expect(() => parseLabelSelector('app in x')).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});

describe('a field selector', () => {
  it.each([
    ['metadata.name=p', true],
    ['metadata.name=p,metadata.namespace=team-b', false],
    ['metadata.namespace!=team-b', true],
    ['spec.nodeName=node-1', true],
    ['status.phase=', true],
  ])('%j gives %j', (text, selected) => {
    expect(parseFieldSelector(text, 'Pod')(object)).toBe(selected);
  });

  it('of a field that the kind does not offer is refused', () => {
    expect(() => parseFieldSelector('spec.nodeName=node-1', 'Service')).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});
