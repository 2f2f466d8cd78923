import type { Reason } from '../../api/v1alpha1/conditions.ts';

export type DenialReason = Extract<
  Reason,
  'QuotaExceeded' | 'PodSecurityViolation' | 'LimitExceeded' | 'ReferenceMissing' | 'NamespaceTerminating' | 'WebhookDenied' | 'WriteDenied'
>;

/** What the API server says when it refuses a write for good, by words that have stood in its messages since 1.24. First match counts. */
const denials: readonly (readonly [RegExp, DenialReason])[] = [
  // The account that lacks a right is named, and may well be a service account.
  [/cannot \w+ resource "/i, 'WriteDenied'],
  [/exceeded quota|must specify (limits|requests)[^;]* for|failed quota/i, 'QuotaExceeded'],
  [/violates PodSecurity/i, 'PodSecurityViolation'],
  [/(minimum|maximum) (cpu|memory|ephemeral-storage|storage)[^;]* (usage )?per (Pod|Container)|limit to request ratio/i, 'LimitExceeded'],
  [/RuntimeClass|PriorityClass|serviceaccount|service account|no API token found/i, 'ReferenceMissing'],
  [/is being terminated|namespaces? "[^"]*" not found/i, 'NamespaceTerminating'],
  [/admission webhook|failed calling webhook|ValidatingAdmissionPolicy/i, 'WebhookDenied'],
];

/** The cause behind a refused write. Pure. */
export function classifyDenial(message: string): DenialReason {
  return denials.find(([pattern]) => pattern.test(message))?.[1] ?? 'WriteDenied';
}
