import { afterEach, describe, expect, it } from 'vitest';
import type { EventRecord } from '../../../src/kube/port.ts';
import { createKubeApi, type KubeClient } from '../../../src/kube-client/client.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { failure, type Reply, type ScriptedServer, type SeenRequest, startScriptedServer } from '../../support/scripted-server.ts';

const record: EventRecord = {
  regarding: { apiVersion: 'v1', kind: 'Pod', namespace: 'team-a', name: 'x', uid: 'u' },
  name: 'x.1',
  type: 'Warning',
  reason: 'Crashing',
  message: 'it crashes',
  action: 'Reconcile',
};
const groupPath = '/apis/events.k8s.io/v1/namespaces/team-a/events';
const corePath = '/api/v1/namespaces/team-a/events';

let server: ScriptedServer | undefined;
let client: KubeClient | undefined;
afterEach(async () => {
  client?.close();
  await server?.close();
});

async function connect(
  script: (request: SeenRequest, reply: Reply) => void,
): Promise<{ kube: KubeClient; paths: () => readonly string[]; body: () => unknown; warnings: readonly string[] }> {
  const started = await startScriptedServer(script);
  const warnings: string[] = [];
  const kube = createKubeApi(started.config(), {
    clock: systemClock,
    userAgent: 'tester/1.2 (unit)',
    instance: 'tester-0',
    warn: (message) => warnings.push(message),
  });
  server = started;
  client = kube;
  return {
    kube,
    warnings,
    paths: () => started.requests.map(({ path }) => path),
    body: () => JSON.parse(started.requests.at(-1)?.body ?? '{}') as unknown,
  };
}

const forbidden = failure(403, 'Forbidden', 'events is forbidden');
/** Refuses what goes to the group, takes the rest. */
const coreOnly =
  (status: number, body: object) =>
  (request: SeenRequest, reply: Reply): void =>
    request.path.startsWith('/apis/') ? reply.json(status, body) : reply.json(201, {});

describe('an Event', () => {
  it('is stored beside its object under events.k8s.io/v1', async () => {
    const { kube, paths, body } = await connect((_, reply) => reply.json(201, {}));
    await kube.event(record);
    expect(paths()).toEqual([groupPath]);
    const { eventTime, ...rest } = body() as { eventTime: string };
    expect(eventTime).toMatch(/\.\d{6}Z$/);
    expect(rest).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'x.1', namespace: 'team-a' },
      regarding: record.regarding,
      type: 'Warning',
      reason: 'Crashing',
      note: 'it crashes',
      action: 'Reconcile',
      reportingController: 'tester',
      reportingInstance: 'tester-0',
    });
  });

  it('that exists already is as good as stored', async () => {
    const { kube } = await connect((_, reply) => reply.json(409, failure(409, 'AlreadyExists', 'events "x.1" already exists')));
    await expect(kube.event(record)).resolves.toBeUndefined();
  });

  it('that came again is counted up in its series', async () => {
    const { kube, paths, body } = await connect((_, reply) => reply.json(200, {}));
    await kube.event({ ...record, series: { count: 7, lastSeenMs: Date.parse('2026-05-05T10:00:00.250Z') } });
    expect(paths()).toEqual([`${groupPath}/x.1`]);
    expect(body()).toEqual({ series: { count: 7, lastObservedTime: '2026-05-05T10:00:00.250000Z' } });
  });

  it('whose message is longer than the API server takes is cut', async () => {
    const { kube, body } = await connect((_, reply) => reply.json(201, {}));
    await kube.event({ ...record, message: 'y'.repeat(2_000) });
    expect((body() as { note: string }).note).toHaveLength(1_024);
  });

  it.each<{ name: string; status: number; answer: object }>([
    { name: 'is not allowed', status: 403, answer: forbidden },
    {
      name: 'is not served',
      status: 404,
      answer: { kind: 'Status', code: 404, message: 'the server could not find the requested resource' },
    },
  ])('goes to core/v1 where the group $name, which is said once', async ({ status, answer }) => {
    const { kube, paths, body, warnings } = await connect(coreOnly(status, answer));
    await kube.event(record);
    expect(paths()).toEqual([groupPath, corePath]);
    expect(body()).toMatchObject({
      apiVersion: 'v1',
      involvedObject: record.regarding,
      message: 'it crashes',
      source: { component: 'tester' },
      reportingComponent: 'tester',
      count: 1,
    });
    await kube.event({ ...record, name: 'x.2' });
    await kube.event({ ...record, series: { count: 2, lastSeenMs: 0 } });
    expect(paths().slice(2)).toEqual([corePath, `${corePath}/x.1`]);
    expect(body()).toEqual({ count: 2, lastTimestamp: '1970-01-01T00:00:00Z' });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('Events are written as core/v1');
  });

  it('that is allowed nowhere is a fault, and the group is tried again', async () => {
    const { kube, paths, warnings } = await connect((_, reply) => reply.json(403, forbidden));
    await expect(kube.event(record)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(kube.event(record)).rejects.toMatchObject({ code: 'forbidden' });
    expect(paths()).toEqual([groupPath, corePath, groupPath, corePath]);
    expect(warnings).toEqual([]);
  });
});
