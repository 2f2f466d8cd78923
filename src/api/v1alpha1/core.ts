import * as z from 'zod';
import { bool, int32, int64, list, mapList, name, oneOf, quantityMap, text, textMap } from '../fields.ts';

/** Parts of core/v1 that a Performer holds. Same fields, same meaning; see the Kubernetes API reference of each. */

export const localObjectReference = z.object({
  name: text('Name of the object, in the namespace of the Performer.').optional(),
});

/** One entry of a Secret or ConfigMap. */
export function keySelector(kind: 'Secret' | 'ConfigMap') {
  return z.object({
    name: name(`Name of the ${kind}, in the namespace of the Performer.`),
    key: name(`Key of the entry in the ${kind}.`),
    optional: bool(`Whether the container may start while the ${kind} or the key is missing.`).optional(),
  });
}

export const resourceRequirements = z.object({
  limits: quantityMap('The most the container may use, by resource name.').optional(),
  requests: quantityMap('What the container is guaranteed, by resource name. Where one is left out, its limit counts.').optional(),
  claims: mapList(
    z.object({
      name: name('Name of a resource claim of the pod.'),
      request: text('Name of one request of that claim; all of it when empty.').optional(),
    }),
    'name',
    'Resource claims of the pod that the container uses.',
  ).optional(),
});

export const toleration = z.object({
  key: text('Key of the taint that is tolerated. Empty, with operator Exists: every taint.').optional(),
  operator: text('How key and value are compared: Exists or Equal (the default).', 64).optional(),
  value: text('Value of the taint that is tolerated, for operator Equal.').optional(),
  effect: text('Effect of the taint that is tolerated: NoSchedule, PreferNoSchedule or NoExecute. Empty: all of them.', 64).optional(),
  tolerationSeconds: int64('For effect NoExecute: how many seconds the taint is tolerated. Left out: for ever.').optional(),
});

function requirement(what: string, operators: string) {
  return z.object({
    key: text(`Key of the ${what}.`),
    operator: text(`How the ${what} relates to the values: ${operators}.`, 64),
    values: list(z.string(), 'Values to compare with; empty for Exists and DoesNotExist.').optional(),
  });
}

const labelSelector = z.object({
  matchLabels: textMap('Labels that must all be there with these values.').optional(),
  matchExpressions: list(requirement('label', 'In, NotIn, Exists or DoesNotExist'), 'Label requirements that must all hold.').optional(),
});

const atomicMap = { 'x-kubernetes-map-type': 'atomic' } as const;

const nodeSelectorTerm = z
  .object({
    matchExpressions: list(
      requirement('node label', 'In, NotIn, Exists, DoesNotExist, Gt or Lt'),
      'Requirements on labels of the node; all must hold.',
    ).optional(),
    matchFields: list(
      requirement('node field', 'In, NotIn, Exists, DoesNotExist, Gt or Lt'),
      'Requirements on fields of the node; all must hold.',
    ).optional(),
  })
  .meta(atomicMap);

const nodeAffinity = z.object({
  requiredDuringSchedulingIgnoredDuringExecution: z
    .object({ nodeSelectorTerms: list(nodeSelectorTerm, 'The node must satisfy at least one of these terms.') })
    .meta({ ...atomicMap, description: 'What a node must satisfy for the pod to be placed on it.' })
    .optional(),
  preferredDuringSchedulingIgnoredDuringExecution: list(
    z.object({
      weight: int32('Weight of this preference, 1 to 100.'),
      preference: nodeSelectorTerm.describe('What a preferred node satisfies.'),
    }),
    'Nodes that are preferred, each with a weight.',
  ).optional(),
});

const podAffinityTerm = z.object({
  labelSelector: labelSelector.meta({ ...atomicMap, description: 'Which pods are meant.' }).optional(),
  matchLabelKeys: list(z.string(), 'Label keys whose value is taken from the pod being placed and must be equal.').optional(),
  mismatchLabelKeys: list(z.string(), 'Label keys whose value is taken from the pod being placed and must differ.').optional(),
  namespaces: list(z.string(), 'Names of the namespaces of the pods meant. Empty: that of the pod being placed.').optional(),
  namespaceSelector: labelSelector
    .meta({ ...atomicMap, description: 'Namespaces of the pods meant, by their labels; adds to `namespaces`.' })
    .optional(),
  topologyKey: text('Node label that says which nodes count as one place.'),
});

function podAffinity(relation: string) {
  return z.object({
    requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTerm, `Pods that the pod must be placed ${relation}.`).optional(),
    preferredDuringSchedulingIgnoredDuringExecution: list(
      z.object({
        weight: int32('Weight of this preference, 1 to 100.'),
        podAffinityTerm: podAffinityTerm.describe('Which pods, and what counts as one place.'),
      }),
      `Pods that the pod is preferably placed ${relation}, each with a weight.`,
    ).optional(),
  });
}

export const affinity = z.object({
  nodeAffinity: nodeAffinity.describe('Rules on the node.').optional(),
  podAffinity: podAffinity('near').describe('Rules on pods to be near.').optional(),
  podAntiAffinity: podAffinity('away from').describe('Rules on pods to be away from.').optional(),
});

/** A condition as in meta/v1. */
export const condition = z.object({
  type: z
    .string()
    .max(316)
    .regex(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/)
    .describe('What the condition is about.'),
  status: oneOf(['True', 'False', 'Unknown'], 'Whether the condition holds.'),
  observedGeneration: z
    .int()
    .min(0)
    .meta({ format: 'int64', description: 'Generation of the Performer the condition was computed from.' })
    .optional(),
  lastTransitionTime: z.string().meta({ format: 'date-time', description: 'When `status` last changed.' }),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('One word, for programs, on why the status is what it is.'),
  message: text('What happened and what to do next, for people.', 32_768),
});
