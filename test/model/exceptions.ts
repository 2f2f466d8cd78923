import { canonicalJson } from '../../src/lib/canonical-json.ts';
import type { Target } from './kinds.ts';
import type { Operation } from './operations.ts';
import type { Difference } from './run-sequence.ts';

export interface Exception {
  readonly id: string;
  /** What the real side does that the model does not, and why that is left so. */
  readonly reason: string;
  /** A step that is left out on both sides. */
  readonly skips?: (operation: Operation, seen: Seen) => boolean;
  /** A difference that ends the sequence without a finding. */
  readonly tolerates?: (difference: Difference) => boolean;
}

/** What is known before a step. */
export interface Seen {
  readonly hasQuota: boolean;
  readonly exists: (target: Target) => boolean;
  readonly isDeleting: (target: Target) => boolean;
}

/** Where the model is not like a real API server, reviewed one by one. At most ten. */
export const exceptions: readonly Exception[] = [
  {
    id: 'quota-leak',
    reason:
      'A create that fails after admission (the name is taken) stays counted in a quota until its controller looks again, minutes later. ' +
      'The operator chooses names from what it saw, so that it meets this rarely, and then waits as for any quota.',
    skips: (operation, { hasQuota, exists }) => operation.verb === 'create' && hasQuota && exists(operation.target),
  },
  {
    id: 'quota-count',
    reason:
      'The count in the status of a quota is written by admission and, from a cache that lags, by its controller: the later one may be wrong until the next change or resync. ' +
      'The operator takes a refusal as it comes and tries again; it reads no quota.',
    tolerates: ({ what }) => what === 'usage',
  },
  {
    id: 'made-by-put',
    reason:
      'A PUT that creates stores what a POST would not take: a Service without an address where its status is put, an object that is born with a deletionTimestamp or a generation. ' +
      'The operator sends no PUT; other operators put what they have read.',
    skips: (operation, { exists }) =>
      operation.verb === 'put' &&
      !exists(operation.target) &&
      (operation.status === true || canonicalJson(operation.patch).includes('"deletionTimestamp"')),
  },
  {
    id: 'mark-touched',
    reason:
      'A patch that names another deletionTimestamp for an object that is being deleted is stored as a write and changes nothing. Nobody but a test sends one.',
    skips: (operation, { isDeleting }) =>
      'patch' in operation && isDeleting(operation.target) && canonicalJson(operation.patch).includes('"deletionTimestamp"'),
  },
  {
    id: 'pod-gc',
    reason:
      'Every 20 s the pod garbage collector marks terminating pods without a node as Failed. Pods and nodes of a simulation are the business of its nodes, not of its API server.',
    tolerates: ({ what, real }) =>
      (what === 'watch' || what.startsWith('events of pod/')) &&
      real.some((line) => line.includes('"deleting":true') && line.includes('"phase":"Failed"')),
  },
];

/** The exception that explains a difference, if any. */
export function explain(difference: Difference): Exception | undefined {
  return exceptions.find(({ tolerates }) => tolerates?.(difference) === true);
}

/** The exception by which a step is left out, if any. */
export function findSkip(operation: Operation, seen: Seen): Exception | undefined {
  return exceptions.find(({ skips }) => skips?.(operation, seen) === true);
}
