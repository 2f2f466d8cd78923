import type { LoadCall, Met, Observations, OperatorRequest, Renewal } from '../../../chaos/observations.ts';
import type { Pod } from '../../../src/kube/objects.ts';
import type { Change } from '../../../src/oracle/kit.ts';

/** A pod of a Performer; `state` says how it stands. */
export function pod(
  name: string,
  state: { readonly ready?: boolean; readonly node?: string; readonly deleting?: boolean; readonly container?: string } = {},
  owner = 'alpha',
): Pod {
  const { ready = true, node = 'n1', deleting = false, container = 'c1' } = state;
  return {
    metadata: {
      name,
      namespace: 'ns',
      uid: `uid-${name}`,
      resourceVersion: `${name}-${ready}-${deleting}-${container}`,
      creationTimestamp: '1970-01-01T00:00:00Z',
      ...(deleting ? { deletionTimestamp: '1970-01-01T00:01:00Z' } : {}),
      ownerReferences: [
        { apiVersion: 'hourglass.eigenlayer.io/v1alpha1', kind: 'Performer', name: owner, uid: `uid-${owner}`, controller: true },
      ],
    },
    spec: { nodeName: node, containers: [] },
    status: {
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [
        { name: 'performer', containerID: container, state: { running: {} }, image: '', imageID: '', ready, restartCount: 0 },
      ],
    },
  };
}

export function change(atMs: number, before: Pod | undefined, after: Pod | undefined): Change {
  return { atMs, kind: 'pods', key: { namespace: 'ns', name: (after ?? before)?.metadata?.name ?? '' }, before, after };
}

export function call(atMs: number, answeredBy: string | undefined, more: Partial<LoadCall> = {}): LoadCall {
  const how = answeredBy === undefined ? ({ kind: 'failed', code: 4 } as const) : ({ kind: 'answered', instance: answeredBy } as const);
  return { ...how, id: `t-${atMs}`, atMs, tookMs: 5, performer: 'alpha', from: 'n2', ...more };
}

/** Answered or not, one each 100 ms. */
export function calls(fromMs: number, toMs: number, answeredBy: string | undefined): readonly LoadCall[] {
  return Array.from({ length: (toMs - fromMs) / 100 }, (_, at) => call(fromMs + at * 100, answeredBy));
}

export function renewals(of: string, fromMs: number, toMs: number, everyMs = 2_000): readonly Renewal[] {
  return Array.from({ length: (toMs - fromMs) / everyMs }, (_, at) => ({ of, holder: of, atMs: fromMs + at * everyMs, durationMs: 8_000 }));
}

/** Answered at once. */
export function request(startedMs: number, code: number, more: Partial<OperatorRequest> = {}): OperatorRequest {
  return { startedMs, endedMs: startedMs, pod: 'op-1', verb: 'patch', plural: 'pods', uri: '/pods/a-0', code, ...more };
}

export function observed(seen: Partial<Observations>): Observations {
  return { calls: [], begun: [], changes: [], writes: [], requests: [], renewals: [], operatorPods: [], hangUps: [], ...seen };
}

export const victim: Met = { performer: 'alpha', pods: [{ name: 'a-0', uid: 'uid-a-0' }], nodes: [] };
