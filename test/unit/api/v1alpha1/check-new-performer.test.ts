import { describe, expect, it } from 'vitest';
import { checkNewPerformer } from '../../../../src/api/v1alpha1/check-new-performer.ts';
import { acceptedSpecs, avsAddress, refusedSpecs, smallestSpec } from '../../../support/spec-table.ts';

const named = (spec: unknown, name = 'x') => ({ metadata: { name }, spec });
const paths = (...args: Parameters<typeof checkNewPerformer>): readonly string[] => checkNewPerformer(...args).map((issue) => issue.path);

describe('checkNewPerformer at creation', () => {
  it.each(acceptedSpecs)('accepts $name', ({ spec }) => {
    expect(checkNewPerformer(named(spec))).toEqual([]);
  });

  it.each(refusedSpecs)('refuses $name', ({ spec, path }) => {
    expect(paths(named(spec))).toEqual([path]);
  });

  it.each([
    { name: 'a'.repeat(53), refused: [] },
    { name: 'a'.repeat(54), refused: ['metadata.name'] },
    { name: 'a.b', refused: ['metadata.name'] },
  ])('judges the name $name', ({ name, refused }) => {
    expect(paths(named(smallestSpec, name))).toEqual(refused);
  });

  it('shows every problem at once', () => {
    const spec = { avsAddress: 'x', image: 'A', hardwareRequirements: { gpuType: 'a', teeRequired: true } };
    expect(paths(named(spec, 'a.b')).toSorted()).toEqual([
      'metadata.name',
      'spec.avsAddress',
      'spec.hardwareRequirements.gpuCount',
      'spec.hardwareRequirements.teeType',
      'spec.image',
    ]);
  });
});

describe('checkNewPerformer', () => {
  it('tells no environment value, whatever is wrong around it', () => {
    const secret = 'hunter2';
    const configs = [
      { environment: { PASSWORD: secret.repeat(50_000) } },
      { env: [{ name: 'A', value: secret, valueFrom: {} }] },
      {
        env: [
          { name: 'A', value: secret },
          { name: 'A', value: secret },
        ],
      },
      { env: [{ name: '', value: secret.repeat(50_000) }] },
      { args: [secret.repeat(50_000)] },
    ];
    for (const config of configs) {
      const issues = checkNewPerformer(named({ ...smallestSpec, config }));
      expect(issues.length).toBeGreaterThan(0);
      expect(JSON.stringify(issues)).not.toContain(secret);
    }
  });
});

describe('checkNewPerformer at an update', () => {
  const grown = { avsAddress: 'my avs', image: 'registry:', hardwareRequirements: { gpuType: 'a100', teeRequired: true } };

  it.each<{ name: string; old: object; change: object; refused: string[] }>([
    { name: 'lets what was there before pass', old: grown, change: { version: '2' }, refused: [] },
    { name: 'lets an old address be put right', old: grown, change: { avsAddress }, refused: [] },
    { name: 'lets no old address become another text', old: grown, change: { avsAddress: 'my AVS' }, refused: ['spec.avsAddress'] },
    { name: 'lets no old image become another that is none', old: grown, change: { image: 'registry2:' }, refused: ['spec.image'] },
    {
      name: 'judges hardware as a whole once part of it is changed',
      old: grown,
      change: { hardwareRequirements: { gpuType: 'a100' } },
      refused: ['spec.hardwareRequirements.gpuCount'],
    },
    { name: 'keeps the address', old: smallestSpec, change: { avsAddress: `0x${'1'.repeat(40)}` }, refused: ['spec.avsAddress'] },
    {
      name: 'takes the address in another case',
      old: smallestSpec,
      change: { avsAddress: `0x${avsAddress.slice(2).toUpperCase()}` },
      refused: [],
    },
    { name: 'takes another image', old: smallestSpec, change: { image: 'b:2' }, refused: [] },
    {
      name: 'keeps the manager',
      old: { ...smallestSpec, managedBy: 'a.example/b' },
      change: { managedBy: 'c.example/d' },
      refused: ['spec.managedBy'],
    },
    { name: 'lets no manager take over', old: smallestSpec, change: { managedBy: 'c.example/d' }, refused: ['spec.managedBy'] },
    { name: 'takes its own name as no change', old: smallestSpec, change: { managedBy: 'hourglass.eigenlayer.io/operator' }, refused: [] },
    {
      name: 'judges each item of a list that was changed',
      old: { ...smallestSpec, config: { args: ['a', 'x'.repeat(131_073)] } },
      change: { config: { args: ['b', 'x'.repeat(131_073)] } },
      refused: ['spec.config.args[1]'],
    },
    { name: 'lets a spec of the wrong type stay and no other come', old: smallestSpec, change: { image: 7 }, refused: ['spec.image'] },
  ])('$name', ({ old, change, refused }) => {
    // The name no longer counts.
    expect(paths(named({ ...old, ...change }, 'a.b'), named(old, 'a.b'))).toEqual(refused);
  });
});
