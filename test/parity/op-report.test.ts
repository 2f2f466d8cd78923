import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../scripts/generate.ts';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { coreEvents } from '../../src/kube/objects.ts';
import { planPerformer } from '../../src/reconcile/plan/plan.ts';
import { performer, pod, revisionOf, service, settings, snapshot, withStatusOf } from '../support/snapshots.ts';
import { crds } from './support/crd.ts';
import { avsAddress, conditionOf, keyOf, operatorOn, servedPerformer, statusOf } from './support/world.ts';

const waiting = (reason: string, message: string, restartCount = 0): object => ({
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'False' }],
  containerStatuses: [
    { name: 'performer', image: 'avs:1', imageID: '', ready: false, started: false, restartCount, state: { waiting: { reason, message } } },
  ],
});

describe('names too long for a Service', () => {
  it.each(['a'.repeat(60), 'with.dots'])('OP-12 that an older CRD let in are told in status: %s', async (name) => {
    const operator = operatorOn('base');
    const spec = { avsAddress, image: 'avs:1' };
    await operator.cluster
      .api()
      .create(performers, { apiVersion: 'hourglass.eigenlayer.io/v1alpha1', kind: 'Performer', metadata: keyOf(name), spec });
    const { outcomes } = await operator.once();
    expect(outcomes.map(({ outcome }) => [outcome.kind, outcome.reason])).toEqual([['stalled', 'InvalidSpec']]);
    expect(conditionOf(operator, 'Ready', name)).toMatchObject({ status: 'False', message: expect.stringContaining('metadata.name') });
    expect([...operator.pods(), ...operator.services()]).toEqual([]);
    operator.cluster.remove(performers, keyOf(name));
    expect(operator.cluster.find(performers, keyOf(name))).toBeUndefined();
  });
});

describe.each(crds)('what is reported, with the CRD %s', (crd) => {
  it('OP-15 ends in the condition Ready, of the generation that was looked at', async () => {
    const operator = await servedPerformer({}, crd);
    const status = statusOf(operator);
    expect(status.conditions?.map((condition) => condition.type)).toEqual(['Available', 'Progressing', 'Degraded', 'Ready']);
    expect(status.conditions?.every((condition) => condition.observedGeneration === 1)).toBe(true);
    expect(status.observedGeneration).toBe(crd === 'ours' ? 1 : undefined);
  });

  it.each([
    { cause: waiting('CrashLoopBackOff', 'back-off 40s', 5), reason: 'CrashLooping', phase: 'Failed' },
    { cause: waiting('ImagePullBackOff', 'Back-off pulling image "avs:1"'), reason: 'ImagePullFailed', phase: 'Pending' },
    { cause: waiting('CreateContainerConfigError', 'secret "keys" not found'), reason: 'ContainerConfigFailed', phase: 'Pending' },
  ])('OP-15 names the cause in status and as one Event: $reason', async ({ cause, reason, phase }) => {
    const operator = operatorOn(crd, 3_600_000);
    await operator.ask('x');
    await operator.once();
    operator.cluster.setPodStatus(keyOf('performer-x'), cause as never);
    for (let runs = 0; runs < 3; runs += 1) await operator.once();
    expect(conditionOf(operator)).toMatchObject({ status: 'False', reason });
    expect(statusOf(operator)).toMatchObject({ phase, ready: false });
    const events = operator.cluster.objects(coreEvents).filter((event) => event.reason === reason);
    expect(events.map((event) => [event.type, event.involvedObject.name])).toEqual([['Warning', 'x']]);
  });
});

describe('the cluster domain', () => {
  it('OP-21 is what the operator is told', () => {
    const served = snapshot({ performer: performer({}, { status: {} }), pods: [pod({ revision: revisionOf() })], service: service() });
    const plan = planPerformer(served, { ...settings, clusterDomain: 'k8s.example' });
    expect(withStatusOf(plan, served).performer?.status?.grpcEndpoint).toBe('performer-x.team-a.svc.k8s.example');
  });

  it('OP-21 is cluster.local where nothing is said, and the endpoint has no port', async () => {
    expect(statusOf(await servedPerformer()).grpcEndpoint).toBe('performer-x.default.svc.cluster.local');
  });
});

describe('the role of the operator', () => {
  interface Rule {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }
  const rules = ['cluster-role.yaml', 'lease-role.yaml'].flatMap((name) => {
    const role = parse(readFileSync(join(projectRoot, 'manifests/rbac', name), 'utf8')) as { readonly rules: readonly Rule[] };
    return role.rules;
  });
  const verbsOf = (resource: string): readonly string[] =>
    rules.filter((rule) => rule.resources.includes(resource)).flatMap((rule) => rule.verbs);

  it('OP-23 lets the operator take its Lease and record Events', () => {
    expect(verbsOf('leases')).toEqual(expect.arrayContaining(['get', 'create', 'patch']));
    expect(verbsOf('events')).toContain('create');
  });

  it('OP-23 has no verb for secrets, configmaps or deployments, and no star', () => {
    expect(['secrets', 'configmaps', 'deployments', 'statefulsets'].flatMap(verbsOf)).toEqual([]);
    expect(rules.flatMap((rule) => [...rule.verbs, ...rule.resources, ...rule.apiGroups])).not.toContain('*');
  });
});
