import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePerformerSpec } from '../../../../src/api/v1alpha1/performer.ts';
import { acceptedSpecs, everyFieldSpec, filledIn, refusedSpecs, smallestSpec } from '../../../support/spec-table.ts';

describe('parsePerformerSpec accepts', () => {
  it.each(acceptedSpecs)('$name', ({ spec, stored }) => {
    expect(parsePerformerSpec(spec)).toEqual({ valid: true, spec: { ...filledIn, ...(stored ?? spec) } });
  });
});

describe('parsePerformerSpec refuses', () => {
  it.each([
    ...refusedSpecs.filter((row) => row.tolerated !== true),
    { name: 'a missing spec', spec: undefined, path: 'spec' },
    { name: 'a spec that is null', spec: null, path: 'spec' },
  ])('$name', ({ spec, path }) => {
    const parsed = parsePerformerSpec(spec);
    expect(parsed.valid ? [] : parsed.issues.map((issue) => issue.path)).toEqual([path]);
  });

  it.each(refusedSpecs.filter((row) => row.tolerated === true))('not what earlier CRDs let in: $name', ({ spec }) => {
    expect(parsePerformerSpec(spec)).toMatchObject({ valid: true, spec });
  });

  it('every wrong field at once, each in plain words', () => {
    const parsed = parsePerformerSpec({ image: 3, config: { grpcPort: 70_000 }, resources: { limits: { cpu: 'much' } } });
    expect(parsed).toEqual({
      valid: false,
      issues: [
        { path: 'spec.avsAddress', message: 'is required' },
        { path: 'spec.image', message: 'must be a text' },
        { path: 'spec.config.grpcPort', message: 'must be at most 65535' },
        { path: 'spec.resources.limits.cpu', message: 'must be a quantity such as 2, 500m or 1Gi' },
      ],
    });
  });

  it('keys that are no plain words by their quoted form', () => {
    const parsed = parsePerformerSpec({ ...smallestSpec, scheduling: { nodeSelector: { 'example.com/zone': 1 } } });
    expect(parsed.valid ? [] : parsed.issues.map((issue) => issue.path)).toEqual(['spec.scheduling.nodeSelector["example.com/zone"]']);
  });
});

describe('parsePerformerSpec', () => {
  it('comes to a verdict on any JSON and never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (spec) => {
        expect(typeof parsePerformerSpec(spec).valid).toBe('boolean');
      }),
    );
  });

  it('comes to a verdict on a spec with anything in the place of any field', () => {
    const fields = Object.keys(everyFieldSpec);
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.jsonValue(), (field, value) => {
        expect(typeof parsePerformerSpec({ ...everyFieldSpec, [field]: value }).valid).toBe('boolean');
      }),
    );
  });

  it('gives back its own result unchanged', () => {
    for (const { spec } of acceptedSpecs) {
      const once = parsePerformerSpec(spec);
      expect(once.valid && parsePerformerSpec(once.spec)).toEqual(once);
    }
  });

  it('leaves its input alone', () => {
    const spec = { ...smallestSpec, config: { later: 1 } };
    parsePerformerSpec(spec);
    expect(spec).toEqual({ ...smallestSpec, config: { later: 1 } });
  });

  it('tells no environment value, whatever is wrong around it', () => {
    const secret = 'hunter2';
    const specs = [
      { ...smallestSpec, config: { environment: { PASSWORD: [secret] } } },
      { ...smallestSpec, config: { environment: [secret] } },
      { ...smallestSpec, config: { environment: secret, args: secret, grpcPort: secret } },
      { ...smallestSpec, imagePullPolicy: secret, config: { environmentFrom: [{ name: 'A', valueFrom: secret }] } },
    ];
    for (const spec of specs) {
      const parsed = parsePerformerSpec(spec);
      expect(parsed.valid).toBe(false);
      expect(JSON.stringify(parsed)).not.toContain(secret);
    }
  });
});
