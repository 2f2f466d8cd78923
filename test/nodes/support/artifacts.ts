import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterPaths } from '../../../src/testbed/components.ts';
import { kubectl } from '../../../src/testbed/kubectl.ts';
import { toTestbedError } from '../../../src/testbed/testbed-error.ts';

export interface ArtifactSource {
  readonly dir: string;
  readonly kubectl: readonly string[];
}

/** Kinds whose objects tell what happened; no Secrets, and of ConfigMaps nothing either. */
const kinds = 'performers,pods,services,endpointslices,nodes,leases,deployments,cronjobs,jobs,poddisruptionbudgets';
const auditBytes = 20_000_000;

/**
 * Puts all that explains a failure into one folder: logs of every component, objects, Events, the end of the audit log,
 * and for each Performer the snapshot that `hourglass plan --snapshot` takes. What cannot be had is left out, and said in `missing.txt`.
 *
 * @param snapshot what `hourglass snapshot NAME -n NAMESPACE` prints
 * @throws TestbedError when the folder cannot be written
 */
export async function collectArtifacts(
  source: ArtifactSource,
  folder: string,
  snapshot?: (namespace: string, name: string) => Promise<string>,
): Promise<void> {
  const missing: string[] = [];
  const put = async (file: string, make: () => Promise<string>): Promise<void> => {
    try {
      writeFileSync(join(folder, file), await make());
    } catch (error) {
      missing.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const ask = (...args: readonly string[]): Promise<string> => kubectl(source, args, { timeoutMs: 15_000 });
  const { logs, auditLog } = clusterPaths(source.dir);
  try {
    mkdirSync(join(folder, 'snapshots'), { recursive: true });
    if (existsSync(logs)) cpSync(logs, join(folder, 'logs'), { recursive: true, filter: (path) => path !== auditLog });
    await put('objects.yaml', () => ask('get', kinds, '--all-namespaces', '-o', 'yaml'));
    await put('pods.txt', () => ask('describe', 'pods', '--all-namespaces'));
    await put('events.txt', () => ask('get', 'events', '--all-namespaces', '--sort-by=.metadata.creationTimestamp'));
    await put('operator.log', () =>
      ask('logs', '--namespace=hourglass-system', '--selector=app.kubernetes.io/name=hourglass-operator', '--tail=-1', '--prefix'),
    );
    if (existsSync(auditLog)) await put('audit.log', async () => readFileSync(auditLog).subarray(-auditBytes).toString('utf8'));
    const names = '{range .items[*]}{.metadata.namespace} {.metadata.name}{"\\n"}{end}';
    const performers = await ask('get', 'performers', '--all-namespaces', '-o', `jsonpath=${names}`).catch(() => '');
    for (const line of snapshot === undefined ? [] : performers.split('\n').filter(Boolean)) {
      const [namespace = '', name = ''] = line.split(' ');
      await put(join('snapshots', `${namespace}-${name}.json`), async () => (await snapshot?.(namespace, name)) ?? '');
    }
    if (missing.length > 0) writeFileSync(join(folder, 'missing.txt'), `${missing.join('\n')}\n`);
  } catch (error) {
    throw toTestbedError(`collecting what explains the failure in ${folder}`, error);
  }
}
