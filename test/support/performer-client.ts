import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ApiException, CustomObjectsApi, KubeConfig } from '@kubernetes/client-node';
import { expect, vi } from 'vitest';
import { projectRoot } from '../../scripts/generate.ts';
import { group, version } from '../../src/api/v1alpha1/naming.ts';
import { type Performer, performers } from '../../src/api/v1alpha1/performer.ts';
import type { EmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';

const run = promisify(execFile);
const kind = { group, version, namespace: 'default', plural: performers.plural };
const crdName = `${performers.plural}.${group}`;
export const ourCrd = join(projectRoot, 'manifests/crd/hourglass.eigenlayer.io_performers.yaml');

/** Performers as another client than ours sees them, in the namespace `default`. */
export class PerformerClient {
  readonly #cluster: EmbeddedCluster;
  readonly #api: CustomObjectsApi;

  constructor(cluster: EmbeddedCluster) {
    this.#cluster = cluster;
    const config = new KubeConfig();
    config.loadFromFile(cluster.kubeconfig);
    this.#api = config.makeApiClient(CustomObjectsApi);
  }

  async kubectl(...args: readonly string[]): Promise<string> {
    const [command = 'kubectl', ...prefix] = this.#cluster.kubectl;
    const { stdout } = await run(command, [...prefix, '--kubeconfig', this.#cluster.kubeconfig, ...args], { timeout: 60_000 });
    return stdout;
  }

  /** Applies CRDs, over others if they are there, and waits until their schema is the one served. */
  async applyCrd(path: string): Promise<void> {
    await this.kubectl('apply', '-f', path);
    // `kubectl wait` fails on a CRD that is so new that it has no status at all.
    const established = 'jsonpath={.status.conditions[?(@.type=="Established")].status}';
    await vi.waitFor(async () => expect(await this.kubectl('get', 'crd', crdName, '-o', established)).toBe('True'), {
      timeout: 30_000,
      interval: 200,
    });
  }

  /** Stores an object and reads it back; under a name nobody has where none is given. */
  async store(body: object): Promise<Performer> {
    const object = whole({ metadata: { generateName: 'row-' }, ...body });
    const { metadata } = (await this.#api.createNamespacedCustomObject({ ...kind, body: object })) as Performer;
    return this.read(metadata?.name ?? '');
  }

  async read(name: string): Promise<Performer> {
    return (await this.#api.getNamespacedCustomObject({ ...kind, name })) as Performer;
  }

  async dryCreate(body: object): Promise<void> {
    await this.#api.createNamespacedCustomObject({ ...kind, body: whole({ metadata: { name: 'dry-run' }, ...body }), dryRun: 'All' });
  }

  async dryReplace(performer: Performer): Promise<void> {
    await this.#api.replaceNamespacedCustomObject({ ...kind, name: performer.metadata?.name ?? '', body: whole(performer), dryRun: 'All' });
  }

  async replace(performer: Performer): Promise<Performer> {
    return (await this.#api.replaceNamespacedCustomObject({
      ...kind,
      name: performer.metadata?.name ?? '',
      body: whole(performer),
    })) as Performer;
  }

  async patchStatus(name: string, status: object): Promise<Performer> {
    const body = [{ op: 'add', path: '/status', value: status }];
    return (await this.#api.patchNamespacedCustomObjectStatus({ ...kind, name, body })) as Performer;
  }

  async delete(name: string): Promise<void> {
    await this.#api.deleteNamespacedCustomObject({ ...kind, name });
  }
}

function whole(body: object): object {
  return { apiVersion: `${group}/${version}`, kind: performers.kind, ...body };
}

export interface Refusal {
  readonly field: string;
  readonly message: string;
}

/** What the server refuses, by field, or an empty list when it accepts. */
export async function refusalsOf(attempt: Promise<unknown>): Promise<readonly Refusal[]> {
  try {
    await attempt;
    return [];
  } catch (error) {
    if (!(error instanceof ApiException) || error.code !== 422) throw error;
    const body: unknown = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
    const { details } = body as {
      readonly details?: { readonly causes?: readonly { readonly field?: string; readonly message?: string }[] };
    };
    const causes = (details?.causes ?? []).map(({ field = '', message = '' }) => ({ field, message }));
    // `<nil>` only says that other rules were not tried, and a dot that the scale subresource could not read what is refused anyway.
    return causes.filter(({ field }) => field !== '<nil>' && !field.startsWith('.'));
  }
}

/** The fields the server refuses, each once. */
export async function refusedFields(attempt: Promise<unknown>): Promise<readonly string[]> {
  return [...new Set((await refusalsOf(attempt)).map(({ field }) => field))];
}
