import { readFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { userAgent } from '../api/v1alpha1/naming.ts';
import { isKubeFault, type KubeFault } from '../kube/faults.ts';
import type { KubeApi } from '../kube/port.ts';
import { createKubeApi, type KubeClientOptions } from '../kube-client/client.ts';
import { ConfigError } from '../kube-client/cluster-config.ts';
import { loadClusterConfig } from '../kube-client/load-config.ts';
import { systemClock } from '../lib/clock.ts';
import { CliError, exitCodes } from './exit-codes.ts';
import { hintFor } from './hints.ts';
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
    readFile: (path: string) => readFile(path),
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

/** What a failure means to the person at the terminal: message with object, cause and next step, and the exit code. */
export function toCliError(error: unknown): CliError | undefined {
  if (error instanceof CliError) return error;
  if (error instanceof ConfigError) return new CliError(error.message, exitCodes.failed, { cause: error });
  if (isKubeFault(error))
    return new CliError(explainFault(error), isKubeFault(error, 'unreachable', 'timeout') ? exitCodes.unreachable : exitCodes.failed, {
      cause: error,
    });
  // Errors of the testbed and of its tools are written for the user already.
  if (error instanceof Error && (error.name === 'TestbedError' || error.name === 'ToolError'))
    return new CliError(error.message, exitCodes.failed, { cause: error });
  return undefined;
}

function explainFault(fault: KubeFault): string {
  const hint = hintFor(fault.code);
  return hint === undefined ? fault.message : `${fault.message}. ${hint}`;
}
