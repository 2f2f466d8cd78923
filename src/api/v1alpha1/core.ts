import * as z from 'zod/mini';
import {
  bool,
  bounded,
  int32,
  int64,
  list,
  mapList,
  name,
  object,
  oneOf,
  optional,
  options,
  quantity,
  quantityMap,
  rules,
  text,
  textMap,
  time,
} from '../fields.ts';
import { oneSource, valueOrSource } from './rules.ts';

/** Parts of core/v1 that a Performer holds. Same fields, same meaning; see the Kubernetes API reference of each. */

export const localObjectReference = options({
  name: text('Name of the object, in the namespace of the Performer.'),
});

/** One entry of a Secret or ConfigMap. */
function keySelector(kind: 'Secret' | 'ConfigMap') {
  return object({
    name: name(`Name of the ${kind}, in the namespace of the Performer.`),
    key: name(`Key of the entry in the ${kind}.`),
    optional: optional(bool(`Whether the container may start while the ${kind} or the key is missing.`)),
  }).check(z.meta({ 'x-kubernetes-map-type': 'atomic', description: `The entry of a ${kind} that holds the value.` }));
}

const keySources = { secretKeyRef: keySelector('Secret'), configMapKeyRef: keySelector('ConfigMap') };
const variableName = name('Name of the environment variable.').check(z.regex(/^[-._a-zA-Z][-._a-zA-Z0-9]*$/));
const sources = z.describe('Where the value comes from: exactly one of the sources.');

/** A variable whose value stands in another object. */
export const environmentSource = object({
  name: variableName,
  valueFrom: options(keySources).check(sources, ...rules(oneSource('secretKeyRef', 'configMapKeyRef'))),
});

/** A variable as core/v1 EnvVar has it. */
export const environmentVariable = object({
  name: variableName,
  value: optional(text('The value; `$(NAME)` stands for the value of a variable that was set before.', 131_072)),
  valueFrom: optional(
    options({
      fieldRef: object({
        apiVersion: optional(text('Version the path is written for; v1 when left out.', 64)),
        fieldPath: name('Path of a field of the pod, e.g. `status.podIP`.'),
      }).check(z.meta({ 'x-kubernetes-map-type': 'atomic', description: 'A field of the pod.' })),
      resourceFieldRef: object({
        containerName: optional(text('Container whose resources are meant; the performer itself when left out.', 253)),
        resource: name('Resource of the container, e.g. `limits.cpu`.'),
        divisor: optional(quantity('Unit the amount is counted in, e.g. 1Mi; 1 when left out.')),
      }).check(z.meta({ 'x-kubernetes-map-type': 'atomic', description: 'An amount out of the resources of the container.' })),
      ...keySources,
    }).check(sources, ...rules(oneSource('fieldRef', 'resourceFieldRef', 'secretKeyRef', 'configMapKeyRef'))),
  ),
}).check(...rules(valueOrSource));

export const resourceRequirements = options({
  limits: quantityMap('The most the container may use, by resource name.'),
  requests: quantityMap('What the container is guaranteed, by resource name. Where one is left out, its limit counts.'),
  claims: mapList(
    object({
      name: name('Name of a resource claim of the pod.'),
      request: optional(text('Name of one request of that claim; all of it when empty.')),
    }),
    'name',
    'Resource claims of the pod that the container uses.',
  ),
});

export const toleration = options({
  key: text('Key of the taint that is tolerated. Empty, with operator Exists: every taint.'),
  operator: oneOf(['', 'Exists', 'Equal'], 'How key and value are compared. Equal when empty or left out.'),
  value: text('Value of the taint that is tolerated, for operator Equal.'),
  effect: oneOf(['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'], 'Effect of the taint that is tolerated. Empty: all of them.'),
  tolerationSeconds: int64('For effect NoExecute: how many seconds the taint is tolerated. Left out: for ever.'),
});

function requirement<const Operators extends readonly [string, ...string[]]>(what: string, operators: Operators) {
  return object({
    key: text(`Key of the ${what}.`),
    operator: oneOf(operators, `How the ${what} relates to the values.`),
    values: optional(list(bounded(), 'Values to compare with; empty for Exists and DoesNotExist.')),
  });
}

const setOperators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
const nodeOperators = [...setOperators, 'Gt', 'Lt'] as const;
const weight = int32('Weight of this preference.', 1, 100);

function labelSelector(description: string) {
  return options({
    matchLabels: textMap('Labels that must all be there with these values.'),
    matchExpressions: list(requirement('label', setOperators), 'Label requirements that must all hold.'),
  }).check(z.meta({ 'x-kubernetes-map-type': 'atomic', description }));
}

function nodeSelectorTerm(description?: string) {
  return options({
    matchExpressions: list(requirement('node label', nodeOperators), 'Requirements on labels of the node; all must hold.'),
    matchFields: list(requirement('node field', nodeOperators), 'Requirements on fields of the node; all must hold.'),
  }).check(z.meta({ 'x-kubernetes-map-type': 'atomic', ...(description === undefined ? {} : { description }) }));
}

const nodeAffinity = options({
  requiredDuringSchedulingIgnoredDuringExecution: object({
    nodeSelectorTerms: list(nodeSelectorTerm(), 'The node must satisfy at least one of these terms.'),
  }).check(z.meta({ 'x-kubernetes-map-type': 'atomic', description: 'What a node must satisfy for the pod to be placed on it.' })),
  preferredDuringSchedulingIgnoredDuringExecution: list(
    object({ weight, preference: nodeSelectorTerm('What a preferred node satisfies.') }),
    'Nodes that are preferred, each with a weight.',
  ),
});

const podAffinityTerm = object({
  labelSelector: optional(labelSelector('Which pods are meant.')),
  matchLabelKeys: optional(list(bounded(), 'Label keys whose value is taken from the pod being placed and must be equal.')),
  mismatchLabelKeys: optional(list(bounded(), 'Label keys whose value is taken from the pod being placed and must differ.')),
  namespaces: optional(list(bounded(), 'Names of the namespaces of the pods meant. Empty: that of the pod being placed.')),
  namespaceSelector: optional(labelSelector('Namespaces of the pods meant, by their labels; adds to `namespaces`.')),
  topologyKey: text('Node label that says which nodes count as one place.'),
});

function podAffinity(relation: string) {
  return options({
    requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTerm, `Pods that the pod must be placed ${relation}.`),
    preferredDuringSchedulingIgnoredDuringExecution: list(
      object({ weight, podAffinityTerm: podAffinityTerm.check(z.describe('Which pods, and what counts as one place.')) }),
      `Pods that the pod is preferably placed ${relation}, each with a weight.`,
    ),
  }).check(z.describe(`Rules on pods to be ${relation}.`));
}

export const affinity = options({
  nodeAffinity: nodeAffinity.check(z.describe('Rules on the node.')),
  podAffinity: podAffinity('near'),
  podAntiAffinity: podAffinity('away from'),
}).check(z.describe('Rules that draw the pods to nodes and to other pods, or keep them away.'));

/** A condition as in meta/v1. */
export const condition = object({
  type: text('What the condition is about.', 316).check(
    z.regex(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/),
  ),
  status: oneOf(['True', 'False', 'Unknown'], 'Whether the condition holds.'),
  observedGeneration: optional(int64('Generation of the Performer the condition was computed from.', 0)),
  lastTransitionTime: time('When `status` last changed.'),
  reason: name('One word, for programs, on why the status is what it is.', 1024).check(z.regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)),
  message: text('What happened and what to do next, for people.', 32_768),
});
