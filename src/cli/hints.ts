import type { KubeFaultCode } from '../kube/faults.ts';

const hints: Partial<Record<KubeFaultCode, string>> = {
  kindMissing: 'The Performer CRD is not installed: bin/hourglass crd | kubectl apply --server-side -f -',
  forbidden: 'Give the account this verb (manifests/rbac lists all that is needed), or choose a namespace it may use with -n.',
  unauthorized: 'The credentials of the kubeconfig are not accepted: renew them.',
};

/** What a user can do about a failed call of that code; undefined where the message says it all. Pure. */
export function hintFor(code: unknown): string | undefined {
  return hints[code as KubeFaultCode];
}
