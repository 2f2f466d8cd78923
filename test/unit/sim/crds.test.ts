import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Shape } from '../../../src/api/read-shape.ts';
import { performers } from '../../../src/api/v1alpha1/performer.ts';
import type { KubeObject, Resource } from '../../../src/kube/objects.ts';
import { OracleBoard } from '../../../src/oracle/board.ts';
import { type Crd, olderCrds, originalCrd, ourCrd } from '../../../src/sim/crds.ts';
import { fastTimings } from '../../../src/sim/nodes/timings.ts';
import { runPlan } from '../../../src/sim/run.ts';
import { scenarios } from '../../../src/sim/scenarios.ts';
import { SimWorld } from '../../../src/sim/sim-world.ts';
import type { AnyObject } from '../../../src/sim/stored-object.ts';
import { type CrdName, crdPath } from '../../parity/support/crd.ts';
import type { CrdSchema } from '../../support/structural-rules.ts';

const kind = performers as Resource<KubeObject>;

/** `config.env` and the like, two levels deep. */
function fieldsOf(schema: CrdSchema, prefix = ''): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, one]) => [
    `${prefix}${name}`,
    ...(prefix === '' && one.properties !== undefined ? fieldsOf(one, `${name}.`) : []),
  ]);
}

function namesOf(shape: Shape, prefix = ''): readonly string[] {
  if (shape.is !== 'object') return [];
  return Object.entries(shape.fields).flatMap(([name, one]) => [`${prefix}${name}`, ...(prefix === '' ? namesOf(one, `${name}.`) : [])]);
}

describe('a CRD of the simulation', () => {
  it.each<{ name: CrdName; crd: Crd }>([
    { name: 'ours', crd: ourCrd },
    { name: 'chart', crd: originalCrd },
  ])('knows the fields of the real one: $name', ({ name, crd }) => {
    const { spec: real } = parse(readFileSync(crdPath(name), 'utf8')) as {
      readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: CrdSchema } }] };
    };
    const { spec = {}, status = {} } = real.versions[0].schema.openAPIV3Schema.properties ?? {};
    expect(namesOf(crd.spec).toSorted()).toEqual(fieldsOf(spec).toSorted());
    expect([...crd.status].toSorted()).toEqual(Object.keys(status.properties ?? {}).toSorted());
  });
});

describe('a CRD in the place of ours', () => {
  const key = { namespace: 'default', name: 'x' };
  const spec = { avsAddress: 'a', image: 'avs:1', replicas: 3, config: { grpcPort: 9_000, env: [{ name: 'A', value: 'b' }] } };
  const told = { phase: 'Running', selector: 'a=b', observedGeneration: 1 };
  const setUp = (): { world: SimWorld; read: () => AnyObject } => {
    const board = new OracleBoard([]);
    const world = new SimWorld({ seed: 1, nodes: 1, fronts: 1, timings: fastTimings, board, keeps: 0 });
    world.server.create(kind, { metadata: key, spec } as KubeObject);
    world.server.patch(kind, key, { status: told }, { subresource: 'status' });
    return { world, read: () => world.server.get(kind, key) };
  };
  const pruned = { avsAddress: 'a', image: 'avs:1', config: { grpcPort: 9_000 } };

  it('hides what it does not know, and what is stored shows again with ours, at the same version', () => {
    const { world, read } = setUp();
    const before = read();
    world.crd = originalCrd;
    expect(read()).toMatchObject({ spec: pruned, status: { phase: 'Running' }, metadata: before.metadata });
    expect(read().spec).toEqual(pruned);
    expect(world.board.view.performers.get('default/x')).toEqual(read());
    world.crd = ourCrd;
    expect(read()).toEqual(before);
  });

  it('takes it away for good where something is written, which counts as no change of the spec', () => {
    const { world, read } = setUp();
    world.crd = originalCrd;
    world.server.patch(kind, key, { status: { ready: true, selector: 'a=b' } }, { subresource: 'status' });
    expect(read().status).toEqual({ phase: 'Running', ready: true });
    world.crd = ourCrd;
    expect(read()).toMatchObject({ spec: { ...pruned, replicas: 1 }, metadata: { generation: 1 } });
    expect(read().spec).not.toHaveProperty('config.env');
    expect(read().status).toEqual({ phase: 'Running', ready: true, observedGeneration: -1 });
  });

  it('lets nothing in that it does not know', () => {
    const { world } = setUp();
    world.crd = originalCrd;
    expect(world.server.create(kind, { metadata: { ...key, name: 'y' }, spec } as KubeObject).spec).toEqual(pruned);
  });

  it.each(olderCrds.map((crd, place) => ({ name: crd.name, draw: place / olderCrds.length })))(
    'is served as far as it goes: $name, with a look now and then at what it keeps',
    async ({ draw }) => {
      const [{ plan }] = scenarios as readonly [(typeof scenarios)[number]];
      const fault = { id: 'crd-replaced', atMs: 500, forMs: 1_200_000, draw } as const;
      const result = await runPlan({ ...plan, activeMs: 1_210_000, livenessMs: 700_000, faults: [fault] }, { keeps: 500 });
      expect(result.violations).toEqual([]);
      expect(result.view.performers.get('team-0/x')?.status).toMatchObject({ ready: true, replicas: 1, observedGeneration: 1 });
      // One that is told, one each five minutes, and the whole of it at the end.
      expect(result.lines.filter(({ what }) => what.startsWith('patch performers')).length).toBeLessThanOrEqual(8);
    },
  );
});
