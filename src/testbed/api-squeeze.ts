import { kubectl } from './kubectl.ts';

/** Whose requests are squeezed, e.g. those of an operator. */
export interface SqueezedAccount {
  readonly namespace: string;
  readonly serviceAccount: string;
}

const name = 'hourglass-squeeze';
const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
const all = ['*'];

/**
 * The objects by which an API server gives an account hardly a place, and answers 429 to what finds none. Pure.
 *
 * @param shares of the API server's places, next to some 250 of all others: 1 is about three requests at a time, 0 is one (it always lets one pass)
 */
export function buildApiSqueeze({ namespace, serviceAccount }: SqueezedAccount, shares: number): readonly object[] {
  const rules = {
    subjects: [{ kind: 'ServiceAccount', serviceAccount: { namespace, name: serviceAccount } }],
    resourceRules: [{ verbs: all, apiGroups: all, resources: all, namespaces: all, clusterScope: true }],
    nonResourceRules: [{ verbs: all, nonResourceURLs: all }],
  };
  return [
    {
      apiVersion,
      kind: 'PriorityLevelConfiguration',
      metadata: { name },
      spec: {
        type: 'Limited',
        limited: { nominalConcurrencyShares: shares, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } },
      },
    },
    {
      apiVersion,
      kind: 'FlowSchema',
      metadata: { name },
      // Before those that the API server has for itself, but for what must never wait.
      spec: { matchingPrecedence: 50, priorityLevelConfiguration: { name }, rules: [rules] },
    },
  ];
}

type Cluster = Parameters<typeof kubectl>[0];

/** Squeezes one account, in place of whom it squeezed before. @throws TestbedError */
export async function squeezeApi(cluster: Cluster, account: SqueezedAccount, shares = 0): Promise<void> {
  const items = buildApiSqueeze(account, shares);
  await kubectl(cluster, ['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
}

/** Takes the squeeze back; one that is not there is no trouble. @throws TestbedError */
export async function releaseApi(cluster: Cluster): Promise<void> {
  await kubectl(cluster, ['delete', `flowschema/${name}`, `prioritylevelconfiguration/${name}`, '--ignore-not-found']);
}

export async function isApiSqueezed(cluster: Cluster): Promise<boolean> {
  return (await kubectl(cluster, ['get', 'flowschema', name, '--ignore-not-found', '-o', 'name'])) !== '';
}
