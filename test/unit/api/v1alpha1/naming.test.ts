import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  avsLabelValue,
  firstPodName,
  grpcEndpoint,
  laterPodName,
  performerPodsSelector,
  performerSelector,
  serviceName,
  versionLabelValue,
} from '../../../../src/api/v1alpha1/naming.ts';

const validLabelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const uid = '6f1c2a52-6a2b-4a43-9f0e-3f0d6d0c7b11';

describe('names of what belongs to a Performer', () => {
  it.each([
    { what: 'Service', got: serviceName('x'), wanted: 'performer-x' },
    { what: 'first pod', got: firstPodName('x'), wanted: 'performer-x' },
    { what: 'endpoint, without a port', got: grpcEndpoint('x', 'team-a'), wanted: 'performer-x.team-a.svc.cluster.local' },
    {
      what: 'endpoint in another cluster domain',
      got: grpcEndpoint('x', 'team-a', 'corp.example'),
      wanted: 'performer-x.team-a.svc.corp.example',
    },
    { what: 'selector of all performer pods', got: performerPodsSelector, wanted: 'app=hourglass-performer' },
  ])('$what: $wanted', ({ got, wanted }) => {
    expect(got).toBe(wanted);
  });

  it('selects pods by the name of the Performer alone', () => {
    expect(performerSelector('x')).toEqual({ 'hourglass.eigenlayer.io/performer': 'x' });
  });

  it('numbers later pods behind four hex digits of the uid', () => {
    expect(laterPodName('x', uid, 2)).toMatch(/^performer-x-[0-9a-f]{4}-2$/);
    expect(laterPodName('x', uid, 2)).toBe(laterPodName('x', uid, 2));
    expect(laterPodName('x', uid, 2)).not.toBe(laterPodName('x', `${uid}0`, 2));
  });

  it('keeps a later pod apart from the first pod of a Performer that is called like it', () => {
    expect(laterPodName('x', uid, 1)).not.toBe(firstPodName('x-1'));
  });
});

describe('avsLabelValue', () => {
  it.each([
    { name: 'lower-cases an address', address: '0xABCDEF', value: '0xabcdef' },
    { name: 'turns underscores into dashes', address: 'my_avs', value: 'my-avs' },
    { name: 'cuts at 63 characters', address: 'a'.repeat(80), value: 'a'.repeat(63) },
    { name: 'turns every other character into a dash', address: 'eip155:1/0xAB', value: 'eip155-1-0xab' },
    { name: 'does not end in a dash, also where the cut leaves one', address: `${'a'.repeat(62)}_b`, value: 'a'.repeat(62) },
    { name: 'does not begin with a dash', address: '_avs', value: 'avs' },
    { name: 'is empty where nothing usable is left', address: '::', value: '' },
  ])('$name', ({ address, value }) => {
    expect(avsLabelValue(address)).toBe(value);
  });

  it('is a valid label value for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (address) => {
        const value = avsLabelValue(address);
        expect(value.length).toBeLessThanOrEqual(63);
        expect(value).toMatch(validLabelValue);
      }),
    );
  });

  it('only lower-cases, dashes and cuts where that gives a valid value', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,80}$/), (address) => {
        const simple = address.toLowerCase().replaceAll('_', '-').slice(0, 63);
        fc.pre(validLabelValue.test(simple));
        expect(avsLabelValue(address)).toBe(simple);
      }),
    );
  });
});

describe('versionLabelValue', () => {
  it.each([
    { name: 'keeps a version', version: 'v1.2.3-RC_1', value: 'v1.2.3-RC_1' },
    { name: 'turns build metadata into a valid value', version: '1.0.0+build.5', value: '1.0.0-build.5' },
  ])('$name', ({ version, value }) => {
    expect(versionLabelValue(version)).toBe(value);
  });

  it('is a valid label value for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (text) => {
        expect(versionLabelValue(text)).toMatch(validLabelValue);
        expect(versionLabelValue(text).length).toBeLessThanOrEqual(63);
      }),
    );
  });
});
