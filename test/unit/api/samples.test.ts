import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../../scripts/generate.ts';
import { checkNewPerformer } from '../../../src/api/v1alpha1/check-new-performer.ts';
import { effectivePort } from '../../../src/api/v1alpha1/defaults.ts';
import { type Performer, parsePerformerSpec } from '../../../src/api/v1alpha1/performer.ts';

const folder = join(projectRoot, 'manifests/samples');
const read = (path: string): Performer & { readonly metadata: { readonly name: string } } =>
  parse(readFileSync(join(folder, path), 'utf8'));
const paths = globSync('**/*.yaml', { cwd: folder }).toSorted();

describe('the sample', () => {
  it.each(paths)('%s is accepted, holds known fields only, and has the name of its file', (path) => {
    const performer = read(path);
    expect(checkNewPerformer(performer)).toEqual([]);
    const parsed = parsePerformerSpec(performer.spec);
    expect(parsed.valid && parsed.spec).toMatchObject(performer.spec as object);
    expect(path.endsWith(`${performer.metadata.name}.yaml`)).toBe(true);
  });

  it.each([
    {
      path: 'scheduling/bottlerocket.yaml',
      spec: {
        scheduling: {
          nodeSelector: { 'node.kubernetes.io/os': 'bottlerocket' },
          tolerations: [{ key: 'bottlerocket', operator: 'Equal', value: 'true', effect: 'NoSchedule' }],
        },
      },
    },
    {
      path: 'scheduling/gpu.yaml',
      spec: {
        hardwareRequirements: { gpuType: 'nvidia-a100', gpuCount: 2 },
        scheduling: {
          nodeSelector: { accelerator: 'nvidia-tesla-a100' },
          tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
        },
      },
    },
    {
      path: 'scheduling/tee.yaml',
      spec: {
        hardwareRequirements: { teeRequired: true, teeType: 'sgx' },
        scheduling: {
          nodeSelector: { 'intel.feature.node.kubernetes.io/sgx': 'true' },
          tolerations: [{ key: 'sgx', operator: 'Equal', value: 'enabled', effect: 'NoSchedule' }],
        },
      },
    },
  ])('$path asks for the nodes it is about', ({ path, spec }) => {
    expect(read(path).spec).toMatchObject(spec);
  });

  it('basic.yaml listens where users look for it', () => {
    const parsed = parsePerformerSpec(read('basic.yaml').spec);
    expect(parsed.valid && effectivePort(parsed.spec)).toBe(8080);
  });
});
