import { describe, expect, it } from 'vitest';
import type { PerformerSpecInput } from '../../../../src/api/v1alpha1/performer.ts';
import { parsePerformerSpec } from '../../../../src/api/v1alpha1/performer.ts';
import { computeRevision } from '../../../../src/reconcile/plan/revision.ts';

const revision = (spec: PerformerSpecInput): string => {
  const parsed = parsePerformerSpec(spec);
  if (!parsed.valid) throw new Error('fixture');
  return computeRevision(parsed.spec);
};
const base: PerformerSpecInput = { avsAddress: '0xa', image: 'avs:1' };

describe('computeRevision', () => {
  it('never changes for a spec that does not: else an upgrade of the operator would restart every pod', () => {
    const full = {
      ...base,
      version: '1',
      config: { grpcPort: 9000, environment: { B: '2', A: '1' }, args: ['x'] },
      resources: { limits: { cpu: '1' } },
    };
    expect([revision(base), revision(full)]).toEqual(['91e00513599a2e8c', '2bbd3745dd8d8501']);
  });

  it.each<{ name: string; spec: PerformerSpecInput }>([
    { name: 'the default pull policy', spec: { ...base, imagePullPolicy: 'IfNotPresent' } },
    { name: 'empty objects and lists', spec: { ...base, resources: {}, scheduling: {}, imagePullSecrets: [] } },
    { name: 'the port it has anyway', spec: { ...base, config: { grpcPort: 8080 } } },
  ])('is the same when $name is written out', ({ spec }) => {
    expect(revision(spec)).toBe(revision(base));
  });

  it('does not depend on the order of keys', () => {
    const one = revision({ ...base, config: { environment: { A: '1', B: '2' } } });
    expect(revision({ ...base, config: { environment: { B: '2', A: '1' } } })).toBe(one);
  });

  it.each<[string, Partial<PerformerSpecInput>]>([
    ['image', { image: 'avs:2' }],
    ['imagePullPolicy', { imagePullPolicy: 'Always' }],
    ['version', { version: '2' }],
    ['port', { config: { grpcPort: 9000 } }],
    ['port by an empty config', { config: {} }],
    ['environment', { config: { grpcPort: 8080, environment: { A: '1' } } }],
    ['args', { config: { grpcPort: 8080, args: ['x'] } }],
    ['command', { config: { grpcPort: 8080, command: ['x'] } }],
    ['serviceAccountName', { config: { grpcPort: 8080, serviceAccountName: 'sa' } }],
    ['resources', { resources: { limits: { cpu: '1' } } }],
    ['scheduling', { scheduling: { nodeSelector: { a: 'b' } } }],
    ['hardware', { hardwareRequirements: { gpuCount: 1 } }],
    ['pull secrets', { imagePullSecrets: [{ name: 's' }] }],
  ])('changes with %s', (_name, change) => {
    expect(revision({ ...base, ...change })).not.toBe(revision(base));
  });
});
