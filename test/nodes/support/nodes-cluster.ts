import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { installOperator, tagImage } from '../../../chaos/cluster/lab.ts';
import { buildCaller, buildPerformer } from '../../../chaos/cluster/workloads.ts';
import { operatorNamespace } from '../../../chaos/experiment.ts';
import type { Call } from '../../../chaos/observations.ts';
import { projectRoot } from '../../../scripts/generate.ts';
import { type PerformerSpecInput, performers } from '../../../src/api/v1alpha1/performer.ts';
import { clustersHome, registryDirOf } from '../../../src/testbed/cluster-state.ts';
import type { AuditLevel } from '../../../src/testbed/components.ts';
import { type EmbeddedCluster, startEmbeddedCluster } from '../../../src/testbed/embedded-cluster.ts';
import { kubectl } from '../../../src/testbed/kubectl.ts';
import { findContainer, signalContainer } from '../../../src/testbed/nodes/container-faults.ts';
import type { NodeTimers } from '../../../src/testbed/nodes/node-plan.ts';
import { openRealNodes, type RealNodes } from '../../../src/testbed/nodes/real-nodes.ts';
import { silentProgress } from '../../../src/testbed/progress.ts';
import { RealCluster, until } from '../../parity/support/real-cluster.ts';
import { hourglass } from '../../support/cli.ts';
import { buildTimeoutMs, findNodeTools } from '../../support/cluster.ts';
import { collectArtifacts } from './artifacts.ts';
import { makeNodeImages, type NodeImage, registry } from './prepare.ts';

export const performerImage = `${registry}/hourglass-test-performer:0.1.0`;
/** The same under a newer tag, for rollouts. */
export const newPerformerImage = `${registry}/hourglass-test-performer:0.1.1`;

export interface NodesOptions {
  readonly count?: number;
  readonly timers?: NodeTimers;
  readonly audit?: AuditLevel;
  /** On each node; those of operator and test performer unless told. */
  readonly images?: readonly NodeImage[];
}

/** A pod that calls a Performer, each task once. */
export interface Caller {
  /** Waits until that holds of the calls so far. */
  heard(what: string, holds: (calls: readonly Call[]) => boolean): Promise<void>;
  /** Ends it; how each of its calls went. */
  stop(): Promise<readonly Call[]>;
}

/** Of the case and what it stands in, so that the same case in two modes has two folders. */
function nameOf({ name, suite }: { readonly name: string; readonly suite?: { readonly name: string } | undefined }): string {
  return `${suite?.name ?? ''} ${name}`.trim().replaceAll(/\W+/g, '-').slice(0, 100);
}

/** A cluster with real nodes for the tests of a file, with the images of operator and test performer on each node. */
export class NodesCluster extends RealCluster {
  readonly #get: () => EmbeddedCluster;
  readonly #started: { cluster?: EmbeddedCluster; nodes?: RealNodes };

  constructor(options: NodesOptions = {}) {
    const started: { cluster?: EmbeddedCluster; nodes?: RealNodes } = {};
    beforeAll(async () => {
      const tools = await findNodeTools();
      const images = await makeNodeImages(options.images);
      const { count = 3, timers = 'fast', audit = 'bodies' } = options;
      const name = `nodes-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
      started.cluster = await startEmbeddedCluster({
        name,
        profile: 'nodes',
        realNodes: { count, timers },
        audit,
        tools,
        report: silentProgress,
        detach: false,
      });
      started.nodes = openRealNodes(registryDirOf(clustersHome(process.env), name), tools.controlPlane);
      for (const { file } of images) await started.nodes.loadImage(file);
      tagImage(started.nodes, performerImage, newPerformerImage);
    }, buildTimeoutMs);
    beforeEach(({ task, onTestFailed }) => {
      onTestFailed(async () => {
        if (started.cluster === undefined) return;
        const folder = join(projectRoot, 'dist/artifacts', nameOf(task));
        rmSync(folder, { recursive: true, force: true });
        const { kubeconfig } = started.cluster;
        const snapshot = async (namespace: string, performer: string): Promise<string> =>
          (await hourglass(['snapshot', performer, '-n', namespace, '--kubeconfig', kubeconfig])).stdout;
        await collectArtifacts(started.cluster, folder, snapshot);
        console.error(`What explains the failure: ${folder}`);
      });
    });
    afterAll(async () => {
      await started.cluster?.stop();
    }, 60_000);
    const get = (): EmbeddedCluster => {
      if (started.cluster === undefined) throw new Error('the cluster exists only while tests run');
      return started.cluster;
    };
    super({ get });
    this.#started = started;
    this.#get = get;
  }

  get cluster(): EmbeddedCluster {
    return this.#get();
  }

  get nodes(): RealNodes {
    if (this.#started.nodes === undefined) throw new Error('the cluster exists only while tests run');
    return this.#started.nodes;
  }

  /** Longer than any `--timeout` that it is given. */
  override kubectl(...args: readonly string[]): Promise<string> {
    return kubectl(this.#get(), args, { timeoutMs: 150_000 });
  }

  /** Installs the operator from the file that users apply: `watch`, as a Deployment that is then available, or `once`, as a CronJob. */
  install(mode: 'watch' | 'once'): Promise<void> {
    return installOperator(this.#get(), mode);
  }

  /** Takes the operator away as users do; the CRD stays, and with it the Performers. */
  async uninstall(mode: 'watch' | 'once'): Promise<void> {
    const kinds = mode === 'watch' ? ['deployment/hourglass-operator'] : ['cronjob/hourglass-once'];
    await this.kubectl('delete', '-n', operatorNamespace, ...kinds, '--wait=true', '--timeout=120s');
  }

  /** Runs the CronJob's Job now, and waits for its end; returns what its pod said. @throws Error when the Job failed */
  async runOnce(): Promise<{ readonly pod: string; readonly said: string }> {
    const name = `now-${Date.now()}`;
    const from = ['create', 'job', '-n', operatorNamespace, name, '--from=cronjob/hourglass-once', '--dry-run=client', '-o', 'json'];
    const job = JSON.parse(await this.kubectl(...from)) as { readonly metadata: object };
    // The CronJob keeps but one finished Job of its own, and would take this one away once the next is done.
    await this.apply({ ...job, metadata: { ...job.metadata, ownerReferences: [] } });
    let conditions = '';
    await until(
      'the Job to end',
      async () => {
        conditions = await this.kubectl('get', 'job', '-n', operatorNamespace, name, '-o', 'jsonpath={.status.conditions[*].type}');
        return /Complete|Failed/.test(conditions);
      },
      120_000,
    );
    const pods = ['pods', '-n', operatorNamespace, '-l', `batch.kubernetes.io/job-name=${name}`];
    const pod = (await this.kubectl('get', ...pods, '-o', 'name')).trim().replace('pod/', '');
    const said = await this.kubectl('logs', '-n', operatorNamespace, pod);
    if (conditions.includes('Failed')) throw new Error(`the Job ${name} failed, and said:\n${said}`);
    await this.kubectl('delete', 'job', '-n', operatorNamespace, name);
    return { pod, said };
  }

  /** A Performer with the test performer's image, behaving as `env` says (test/performer/README.md). */
  async performer(
    namespace: string,
    name: string,
    env: Readonly<Record<string, string>> = {},
    spec: Partial<PerformerSpecInput> = {},
  ): Promise<void> {
    await this.kube.create(performers, buildPerformer(namespace, name, performerImage, env, spec));
  }

  /** Starts a caller in the cluster; it calls until `stop`, which returns how each of its calls went. */
  async startCaller(
    namespace: string,
    name: string,
    env: Readonly<Record<string, string>> & { readonly TARGET: string },
    node?: string,
  ): Promise<Caller> {
    await this.apply(buildCaller({ namespace, name, image: performerImage, env, ...(node === undefined ? {} : { node }) }));
    let said = '';
    // The API server may ask a kubelet that has just come back over a connection that it does not know to be dead, for most of a minute.
    const hasBegun = async (): Promise<boolean> => {
      said = await this.kubectl('logs', '-n', namespace, name, '--request-timeout=5s').catch(String);
      return said.includes('"kind":"begun"');
    };
    await until('the caller to begin', hasBegun, 180_000).catch(async (error: Error) => {
      const seen = await this.kubectl('describe', 'pod', '-n', namespace, name).catch(String);
      throw new Error(`${error.message}; its log: ${said}\n${seen}`);
    });
    const calls = async (): Promise<readonly Call[]> => {
      const lines = (await this.kubectl('logs', '-n', namespace, name)).trim().split('\n');
      return lines.map((line) => JSON.parse(line) as Call).filter(({ kind }) => kind === 'answered' || kind === 'failed');
    };
    const phase = (): Promise<string> => this.kubectl('get', 'pod', '-n', namespace, name, '-o', 'jsonpath={.status.phase}');
    return {
      heard: (what, holds) => until(`${name} to hear ${what}`, async () => holds(await calls())),
      stop: async () => {
        // The container gets the signal and ends by itself, or has ended; its log is there as long as its pod is.
        await this.endContainer(namespace, name).catch(() => undefined);
        await until('the caller to end', async () => /Succeeded|Failed/.test(await phase()));
        const all = await calls();
        await this.kubectl('delete', 'pod', '-n', namespace, name, '--grace-period=0', '--force');
        return all;
      },
    };
  }

  /** Sends a signal to process 1 of a pod's container, by its node's containerd. */
  async endContainer(namespace: string, pod: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await signalContainer(this.nodes, await findContainer(this.cluster, namespace, pod), signal);
  }
}
