import { expect } from 'vitest';
import type { EmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import { kubectl } from '../../src/testbed/kubectl.ts';
import { startHourglass } from './cli.ts';

/** Runs `act` beside a watch with that kubeconfig, and returns what the watch said; it must end well when it is told to. */
export async function whileWatching(kubeconfig: string, env: Readonly<Record<string, string>>, act: () => Promise<void>): Promise<string> {
  const { child, result, line } = await startHourglass(['watch', '--kubeconfig', kubeconfig, '--log-format', 'text'], { env });
  try {
    await line(/leading|running without a Lease/);
    await act();
  } finally {
    child.kill('SIGTERM');
  }
  const { code, stderr } = await result;
  expect(code, stderr).toBe(0);
  return stderr;
}

/**
 * Whether an account may do something, as the API server sees it.
 *
 * @param account namespace and name, e.g. `team-a:operator`
 * @param resource plural, with its group after a dot
 */
export async function may(cluster: EmbeddedCluster, account: string, verb: string, resource: string, namespace = ''): Promise<boolean> {
  const [plural = '', ...group] = resource.split('.');
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: `system:serviceaccount:${account}`, resourceAttributes: { verb, group: group.join('.'), resource: plural, namespace } },
  };
  const answer = await kubectl(cluster, ['create', '-f', '-', '-o', 'json'], { input: JSON.stringify(review) });
  return (JSON.parse(answer) as { status: { allowed: boolean } }).status.allowed;
}
