import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { userAgent } from '../api/v1alpha1/naming.ts';
import type { KubeApi } from '../kube/port.ts';
import { createKubeApi, type KubeClientOptions } from '../kube-client/client.ts';
import { loadClusterConfig } from '../kube-client/load-config.ts';
import { systemClock } from '../lib/clock.ts';
import type { ConnectOptions } from './options.ts';
import { productVersion } from './version.ts';

export interface Connection {
  readonly kube: KubeApi;
  /** The namespace asked for; undefined: all of them. */
  readonly namespace: string | undefined;
  /** The namespace of the pod this runs in; undefined outside a cluster. */
  readonly podNamespace: string | undefined;
  readonly server: string;
  close(): void;
}

/** Opens the cluster that options, environment or kubeconfig name. Nothing is sent yet. */
export async function connect(options: ConnectOptions, told: Pick<KubeClientOptions, 'warn' | 'onAnswer'> = {}): Promise<Connection> {
  const config = await loadClusterConfig({
    ...(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig }),
    ...(options.context === undefined ? {} : { context: options.context }),
    env: process.env,
    // Small and near: to hand it to a thread would take longer than to read it.
    readFile: async (path: string) => readFileSync(path),
    homeDir: homedir(),
    otherwise: 'start a local cluster with `bin/hourglass dev up`',
  });
  const kube = createKubeApi(config, { clock: systemClock, userAgent: `${userAgent}/${productVersion}`, instance: hostname(), ...told });
  return {
    kube,
    namespace: options.namespace,
    podNamespace: config.inCluster === true ? config.namespace : undefined,
    server: config.server,
    close: () => kube.close(),
  };
}
