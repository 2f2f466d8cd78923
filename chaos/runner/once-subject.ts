import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/kube/objects.ts';
import { ourSubject, type Subject } from '../subject.ts';

/** Between the end of one run and the next: a CronJob has a minute at least, in which most faults would be over. */
const pauseMs = 5_000;
/** What a run leaves waiting is looked at for so long, as a job would that is to see a rollout through. */
const run = ['once', '--wait=20s', '--waiting-ok'];

/** The base has no shell. Asked to end, it asks the run, and ends with it. */
const loop = `
const { spawn } = require('node:child_process');
let running, over = false;
const again = () => {
  running = spawn('/manager', ${JSON.stringify(run)}, { stdio: 'inherit' });
  running.on('exit', () => (over ? process.exit(0) : setTimeout(again, ${pauseMs})));
};
process.on('SIGTERM', () => {
  over = true;
  if (running.exitCode !== null || running.signalCode !== null) process.exit(0);
  running.kill('SIGTERM');
});
again();
`;

type Deployment = KubeObject & {
  readonly spec: { replicas: number; readonly template: { readonly spec: { readonly containers: Record<string, unknown>[] } } };
};

/**
 * The operator of this product as one short run after the other, in one pod. Pure.
 *
 * @param manifest what installs the one that watches
 */
export function onceInALoop(manifest: string): Subject {
  const objects = parseAllDocuments(manifest).map((document) => document.toJS() as KubeObject | null);
  for (const object of objects) {
    if (object?.kind !== 'Deployment') continue;
    const { spec } = object as Deployment;
    spec.replicas = 1;
    const [container] = spec.template.spec.containers;
    // Nothing listens between two runs.
    for (const member of ['livenessProbe', 'readinessProbe', 'ports']) delete container?.[member];
    Object.assign(container ?? {}, { command: ['/usr/bin/node', '-e', loop], args: [] });
  }
  const text = objects.filter((object) => object !== null).map((object) => JSON.stringify(object));
  return { ...ourSubject(manifest), name: 'once', runsOnce: true, manifests: [text.join('\n---\n')] };
}
