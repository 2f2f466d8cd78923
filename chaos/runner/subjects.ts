import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod/mini';
import type { KubeObject, ObjectKey } from '../../src/kube/objects.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { ensureTool, findInCheckout } from '../../src/testbed/tools.ts';
import { accountOf, ourSubject, plainDeployment, type Subject } from '../subject.ts';
import { onceInALoop } from './once-subject.ts';

const key = z.string().check(z.regex(/^[^/]+\/[^/]+$/, 'must be NAMESPACE/NAME'));
const adapterSchema = z.strictObject({
  /** Files for `kubectl apply`, in this order, beside this one unless absolute. */
  manifests: z.array(z.string()).check(z.minLength(1)),
  /** Of the operator; it stands in one of the manifests. */
  deployment: key,
  /** That it holds while it leads. */
  lease: z.optional(key),
  /** Archives (OCI or Docker) of what the nodes cannot pull. */
  images: z._default(z.array(z.string()), []),
  /** It starts pods where a Performer's `scheduling` wants them. */
  scheduling: z._default(z.boolean(), true),
  /** It promises what this product promises, and is judged by it. */
  judged: z._default(z.boolean(), false),
});

type Deployment = KubeObject & {
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly template?: { readonly spec?: { readonly serviceAccountName?: string } };
  };
};

/**
 * `ours`, `once` (ours as short runs in a loop), `deployment`, `controller-runtime` (built on first need), or `NAME=@FILE` for any other operator of Performers.
 *
 * @throws RangeError for what is none of those, and for a file that cannot be used
 */
export async function readSubject(text: string, performerImage: string, report: ProgressReporter): Promise<Subject> {
  const [, name, path] = /^([\w.-]+)=@(.+)$/s.exec(text) ?? [];
  if (name !== undefined && path !== undefined) return readSubjectFile(name, resolve(path));
  if (text === 'ours' || text === 'once') {
    const manifest = readFileSync(findInCheckout('manifests/install-watch.yaml'), 'utf8');
    return text === 'ours' ? ourSubject(manifest) : onceInALoop(manifest);
  }
  if (text === 'deployment') return plainDeployment;
  if (text === 'controller-runtime') return peerSubject(await ensureTool('peer-controller-runtime', report), performerImage);
  throw new RangeError(`--subject ${text}: give ours, once, deployment, controller-runtime, or NAME=@FILE`);
}

/** @throws RangeError that names the file and what is wrong with it */
export function readSubjectFile(name: string, path: string): Subject {
  const fail = (why: string): never => {
    throw new RangeError(`--subject ${name}: file ${path}: ${why}`);
  };
  const beside = (file: string): string => resolve(dirname(path), file);
  const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : fail(`${file} is not there`));
  const { data, error } = adapterSchema.safeParse(parseYaml(read(path), fail));
  if (data === undefined)
    return fail((error?.issues ?? []).map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; '));
  const deployment = splitKey(data.deployment);
  const manifests = data.manifests.map((file) => read(beside(file)));
  const found = manifests.flatMap(readDeployments).find(({ metadata }) => {
    return metadata?.name === deployment.name && (metadata.namespace ?? 'default') === deployment.namespace;
  });
  const labels = found?.spec?.selector?.matchLabels;
  if (labels === undefined) return fail(`no manifest has the Deployment ${data.deployment} with spec.selector.matchLabels`);
  const account = accountOf(deployment.namespace, found?.spec?.template?.spec?.serviceAccountName ?? 'default');
  const operator = { deployment, labels, account, ...(data.lease === undefined ? {} : { lease: splitKey(data.lease) }) };
  const images = data.images.map(beside);
  const spared = data.scheduling ? {} : ({ ignoresScheduling: true } as const);
  return { name, asks: 'Performer', isJudged: data.judged, ...spared, operator, manifests, images };
}

function parseYaml(text: string, fail: (why: string) => never): unknown {
  try {
    return parse(text);
  } catch (error) {
    return fail(`neither YAML nor JSON: ${String(error instanceof Error ? error.message : error).split('\n')[0]}`);
  }
}

function readDeployments(text: string): readonly Deployment[] {
  const objects = parseAllDocuments(text).map((document) => document.toJS() as (Deployment & { readonly kind?: string }) | null);
  return objects.filter((object) => object?.kind === 'Deployment') as readonly Deployment[];
}

function splitKey(text: string): ObjectKey {
  const [namespace = '', name = ''] = text.split('/');
  return { namespace, name };
}

const peerNamespace = 'peer-system';
const peerName = 'peer-controller-runtime';

/**
 * The bench's peer as its framework's scaffolding deploys one: a single pod under a Lease. Its program lies on this machine, which is
 * every node's, and runs in the test performer's image, of which it uses nothing. Pure.
 */
function peerSubject(program: string, image: string): Subject {
  const labels = { app: peerName };
  const metadata = { name: peerName, namespace: peerNamespace };
  const account = { kind: 'ServiceAccount', name: peerName, namespace: peerNamespace };
  const args = ['--leader-elect', '--leader-election-namespace', peerNamespace, '--health-probe-bind-address', ':8081'];
  const container = {
    name: 'manager',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['/peer', ...args],
    readinessProbe: { httpGet: { path: '/readyz', port: 8081 }, periodSeconds: 5 },
    volumeMounts: [{ name: 'program', mountPath: '/peer', readOnly: true }],
  };
  const pod = {
    serviceAccountName: peerName,
    containers: [container],
    volumes: [{ name: 'program', hostPath: { path: program, type: 'File' } }],
  };
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: peerNamespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: peerName },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [account],
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
    },
  ];
  return {
    name: 'controller-runtime',
    asks: 'Performer',
    isJudged: false,
    ignoresScheduling: true,
    operator: { deployment: metadata, labels, account: accountOf(peerNamespace, peerName), lease: metadata },
    manifests: objects.map((object) => JSON.stringify(object)),
    images: [],
  };
}
