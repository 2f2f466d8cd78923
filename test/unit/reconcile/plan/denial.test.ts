import { describe, expect, it } from 'vitest';
import { classifyDenial } from '../../../../src/reconcile/plan/denial.ts';

describe('classifyDenial', () => {
  it.each([
    ['pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1', 'QuotaExceeded'],
    ['pods "x" is forbidden: failed quota: q: must specify limits.cpu for: performer', 'QuotaExceeded'],
    ['pods "x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false', 'PodSecurityViolation'],
    ['pods "x" is forbidden: maximum cpu usage per Container is 1, but limit is 2', 'LimitExceeded'],
    ['pods "x" is forbidden: error looking up service account default/sa: serviceaccount "sa" not found', 'ReferenceMissing'],
    ['pods "x" is forbidden: no PriorityClass with name high was found', 'ReferenceMissing'],
    ['pods "x" is forbidden: pod rejected: RuntimeClass "kata" not found', 'ReferenceMissing'],
    ['pods "x" is forbidden: unable to create new content in namespace a because it is being terminated', 'NamespaceTerminating'],
    ['admission webhook "v.example" denied the request: no', 'WebhookDenied'],
    ['Internal error occurred: failed calling webhook "v.example": connection refused', 'WebhookDenied'],
    ['pods is forbidden: User "u" cannot create resource "pods"', 'WriteDenied'],
    ['pods is forbidden: User "system:serviceaccount:a:operator" cannot create resource "pods" in API group ""', 'WriteDenied'],
  ])('%s', (message, reason) => {
    expect(classifyDenial(message)).toBe(reason);
  });
});
