import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../src/kube/objects.ts';
import type { KubeApi } from '../../../src/kube/port.ts';
import { createOracles } from '../../../src/oracle/all.ts';
import { OracleBoard } from '../../../src/oracle/board.ts';
import { calmContext } from '../../../src/oracle/define.ts';
import { fastTimings } from '../../../src/sim/nodes/timings.ts';
import { SimProcess } from '../../../src/sim/process.ts';
import { SimWorld } from '../../../src/sim/sim-world.ts';
import { performer } from '../oracle/world.ts';

const regarding = { apiVersion: 'v1', kind: 'Performer', namespace: 'a', name: 'x', uid: 'u1' };
const said = (message: string): Parameters<KubeApi['event']>[0] => ({
  regarding,
  name: 'x.1',
  type: 'Warning',
  reason: 'PodFailed',
  message,
  action: 'Reconcile',
});

function setUp() {
  const board = new OracleBoard(createOracles(calmContext));
  const world = new SimWorld({ seed: 1, nodes: 1, fronts: 1, timings: fastTimings, board, keeps: 10 });
  world.createNamespace('a');
  const after = performer({ config: { grpcPort: 9090, environment: { TOKEN: 'correct-horse' } } });
  board.change({ atMs: 0, kind: 'performers', key: { namespace: 'a', name: 'x' }, before: undefined, after });
  const { kube } = world.apisOf(new SimProcess('operator-0', world.clock));
  const tell = async (message: string): Promise<unknown> => {
    const told = kube.event(said(message)).catch((error: KubeObject) => error);
    await world.clock.runUntil(world.clock.monotonicMs() + 1_000);
    return await told;
  };
  const evaluated = (): number | undefined => board.oracles.find(({ id }) => id === 'S8')?.evaluated();
  return { world, board, tell, evaluated };
}

describe('an Event of an operator', () => {
  it('is read by the oracles, as a status is', async () => {
    const { board, tell, evaluated } = setUp();
    await tell('the pod ended');
    expect([evaluated(), board.violations]).toEqual([1, []]);
    const { board: other, tell: quote } = setUp();
    await quote('the pod ended with correct-horse');
    expect(other.violations.map(({ oracle, key }) => [oracle, key])).toEqual([['S8', 'a/x']]);
  });

  it('is no write to a Performer’s objects, and none that a fault of those is meant for', async () => {
    const { world, tell } = setUp();
    world.onOperatorWrite = () => ({ kind: 'crash', applied: false });
    await tell('the pod ended');
    expect([world.operatorWrites, world.effectiveWrites]).toEqual([0, 0]);
    expect(
      world.server.find({ group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true }, { namespace: 'a', name: 'x.1' }),
    ).toBeDefined();
  });

  it('takes the right to write it', async () => {
    const { world, tell } = setUp();
    world.revoked.add('create events');
    expect(await tell('the pod ended')).toMatchObject({ code: 'forbidden' });
  });
});
