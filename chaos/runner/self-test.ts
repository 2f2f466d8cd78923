import { setTimeout as sleep } from 'node:timers/promises';
import { serviceName } from '../../src/api/v1alpha1/naming.ts';
import { services } from '../../src/kube/objects.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { find, type Lab, until } from '../cluster/lab.ts';
import type { Load } from '../cluster/load.ts';
import { callerLabels, chaosNamespace, performerNames } from '../experiment.ts';
import { experiments } from '../experiments/catalogue.ts';
import { type ChaosStatus, explainRecords, isInjected } from '../records.ts';
import { type ChaosObject, render } from '../render.ts';
import { chaosKinds, type StoredChaos } from './chaos-kinds.ts';
import { chaosMeshInjection, patienceForNobody, type Said } from './injection.ts';

const biteLimitMs = 15_000;
const blindMs = 2_000;
const deadManMs = 60_000;
/** No name of an attack, nor of a program. */
const unknownAttack = { attackCmd: 'hourglass-self-test', recoverCmd: 'true' };

/** Whether faults can be believed here: a cut that must bite does, and one that meets nobody is not said to be injected. What is made is taken back. */
export async function testInjectors(lab: Lab, load: Load, report: ProgressReporter, signal: AbortSignal): Promise<Said> {
  const cut = experiments.find(({ fault }) => fault.kind === 'partition' && fault.between === 'clients-service');
  if (cut === undefined) return { holds: false, detail: 'no experiment cuts clients off' };
  const [performer] = performerNames;
  const address = (await lab.kube.get(services, { namespace: chaosNamespace, name: serviceName(performer) })).spec?.clusterIP ?? '';
  const make = (name: string, pods: { readonly labels: Readonly<Record<string, string>> }): ChaosObject =>
    render(cut, { pods: { namespace: chaosNamespace, ...pods }, addresses: [address] }, deadManMs, name);
  const biting = chaosMeshInjection(lab, make('self-test-bites', { labels: callerLabels }), true);
  const blind = chaosMeshInjection(lab, make('self-test-blind', { labels: { app: 'nobody' } }), false, patienceForNobody);
  try {
    await blind.inject(signal);
    await biting.inject(signal);
    const askedMs = Date.now();
    let said: Said = { holds: false, detail: '' };
    const bites = async (): Promise<boolean> => {
      said = await biting.status();
      return said.holds && load.calls(askedMs).some(({ kind, performer: name }) => kind === 'failed' && name === performer);
    };
    const hasBitten = await until('', bites, biteLimitMs, signal).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
    await sleep(Math.max(0, askedMs + blindMs - Date.now()), undefined, { signal });
    const { holds: isSeeing } = await blind.status();
    if (!hasBitten)
      return {
        holds: false,
        detail: `a cut that must bite does not: ${said.holds ? 'it is said to be injected, and every task is answered' : said.detail}`,
      };
    if (isSeeing) return { holds: false, detail: 'an experiment that meets nobody is said to be injected' };
    return { holds: true, detail: 'a cut bites, and one that meets nobody is known' };
  } finally {
    for (const injection of [biting, blind]) {
      const { holds, detail } = await injection.heal();
      if (!holds) report.warn(`a cut that was made for a test is not taken back: ${detail}`);
    }
  }
}

/** Whether an agent of nodes is there that does what it is told and nothing else: what it cannot know it must refuse. What is made is taken back. */
export async function testAgent(lab: Lab, nodes: readonly string[], report: ProgressReporter, signal: AbortSignal): Promise<Said> {
  const experiment = experiments.find(({ fault }) => fault.kind === 'node');
  if (experiment === undefined) return { holds: false, detail: 'no experiment needs an agent' };
  const targets = { pods: { namespace: chaosNamespace, names: [] }, machines: nodes, uid: `self-test-${Date.now().toString(36)}` };
  const { spec, ...rest } = render(experiment, targets, deadManMs, 'self-test-agent');
  const object: ChaosObject = { ...rest, spec: { ...spec, user_defined: unknownAttack } };
  const injection = chaosMeshInjection(lab, object, false);
  let status: ChaosStatus | undefined;
  const isAnswered = async (): Promise<boolean> => {
    status = (await find<StoredChaos>(lab, chaosKinds.PhysicalMachineChaos, object))?.status;
    return isInjected(status) || isRefused(status);
  };
  try {
    await injection.inject(signal);
    await until('', isAnswered, biteLimitMs, signal).catch(() => undefined);
    signal.throwIfAborted();
    if (isRefused(status)) return { holds: true, detail: 'the agent of each node refuses what it does not know' };
    const how = isInjected(status) ? 'says that it does what it cannot know' : `does not answer: ${explainRecords(status)}`;
    return { holds: false, detail: `the agent of nodes ${how}` };
  } finally {
    const { holds, detail } = await injection.heal();
    if (!holds) report.warn(`an attack that was made for a test is not taken back: ${detail}`);
  }
}

/** Each machine has answered, and not by a yes: the controller's words for any HTTP status but 200. Pure. */
export function isRefused(status: ChaosStatus | undefined): boolean {
  const records = status?.experiment?.containerRecords ?? [];
  const isNo = (message = ''): boolean => message.includes('HTTP status is not OK');
  return (
    records.length > 0 &&
    records.every(
      ({ injectedCount = 0, events = [] }) => injectedCount === 0 && events.some(({ type, message }) => type === 'Failed' && isNo(message)),
    )
  );
}
