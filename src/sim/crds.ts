import { specShape } from '../api/gen/spec-shape.ts';
import type { Field, Shape } from '../api/read-shape.ts';
import type { PerformerStatus } from '../api/v1alpha1/performer.ts';
import type { Json } from '../lib/canonical-json.ts';
import type { KindRules } from './kind-rules.ts';
import { type AnyObject, isJsonObject, type JsonObject } from './stored-object.ts';

/** A CRD of Performers as far as it matters to objects that fit it. */
export interface Crd {
  readonly name: string;
  readonly spec: Shape;
  readonly status: ReadonlySet<string>;
}

const statusFields: Readonly<Record<keyof PerformerStatus, true>> = {
  observedGeneration: true,
  phase: true,
  ready: true,
  podName: true,
  podIP: true,
  serviceName: true,
  grpcEndpoint: true,
  selector: true,
  replicas: true,
  readyReplicas: true,
  updatedReplicas: true,
  readyTime: true,
  lastUpgrade: true,
  revision: true,
  conditions: true,
};

export const ourCrd: Crd = { name: 'ours', spec: specShape, status: new Set(Object.keys(statusFields)) };

/** One of ours from before there were replicas. */
const earlierCrd = without(ourCrd, 'an earlier one', {
  spec: [
    'replicas',
    'strategy',
    'minReadySeconds',
    'progressDeadlineSeconds',
    'nodeLossSeconds',
    'nodeLossPolicy',
    'drainSeconds',
    'paused',
    'managedBy',
    'probes',
    'security',
    'terminationGracePeriodSeconds',
    'config.env',
  ],
  status: ['replicas', 'readyReplicas', 'updatedReplicas', 'selector'],
});

/** The one of the Go original's chart. */
export const originalCrd = without(earlierCrd, 'the original', {
  spec: ['config.environmentFrom'],
  status: ['observedGeneration', 'podIP', 'revision'],
});

export const olderCrds = [originalCrd, earlierCrd] as const;

interface Lacks {
  /** At most one level down. */
  readonly spec: readonly string[];
  readonly status: readonly string[];
}

function without(crd: Crd, name: string, lacks: Lacks): Crd {
  const thin = (shape: Shape, prefix: string): Shape => {
    if (shape.is !== 'object') return shape;
    const fields = Object.entries(shape.fields).filter(([field]) => !lacks.spec.includes(`${prefix}${field}`));
    return { is: 'object', fields: Object.fromEntries(fields.map(([field, one]) => [field, thin(one, `${prefix}${field}.`) as Field])) };
  };
  return { name, spec: thin(crd.spec, ''), status: new Set([...crd.status].filter((field) => !lacks.status.includes(field))) };
}

/** What a CRD makes of objects that fit it, as all here do. */
export const performerRules = (crd: Crd): KindRules => ({
  statusSubresource: true,
  countsGeneration: true,
  defaultsStatus: crd.status.has('observedGeneration'),
  withDefaults: (object) => readBy(crd, object),
});

/** A Performer as the API server reads and stores it: without fields the CRD does not know, with its defaults. Pure. */
function readBy(crd: Crd, { status, ...performer }: AnyObject): AnyObject {
  const spec = prune(crd.spec, performer.spec ?? {}) as JsonObject;
  const told = status === undefined ? undefined : keep(status, (name) => crd.status.has(name));
  const counts = crd.status.has('observedGeneration') ? { observedGeneration: -1, ...told } : told;
  const full = crd.spec.is === 'object' && 'replicas' in crd.spec.fields ? { replicas: 1, ...spec } : spec;
  return { ...performer, spec: full, ...(counts === undefined ? {} : { status: counts }) };
}

function prune(shape: Shape, value: Json): Json {
  if (shape.is === 'list' && Array.isArray(value)) return value.map((item: Json) => prune(shape.of, item));
  if (shape.is !== 'object' || !isJsonObject(value)) return value;
  const known = keep(value, (name) => name in shape.fields);
  return Object.fromEntries(Object.entries(known).map(([name, member]) => [name, prune(shape.fields[name] as Shape, member as Json)]));
}

function keep(object: JsonObject, knows: (name: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => knows(name)));
}
