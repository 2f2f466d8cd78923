import { group, version } from '../v1alpha1/naming.ts';
import { performers } from '../v1alpha1/performer.ts';
import { performerSchema } from '../v1alpha1/performer-schema.ts';
import { nameFits } from '../v1alpha1/rules.ts';
import { assertStructural } from './structural-problems.ts';
import { type StructuralSchema, structuralSchema } from './structural-schema.ts';

interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly description: string;
  readonly jsonPath: string;
  /** 1: only in `-o wide`. */
  readonly priority?: 1;
}

const printerColumns: readonly PrinterColumn[] = [
  {
    name: 'Ready',
    type: 'string',
    description: 'Whether a pod serves now.',
    jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  },
  { name: 'Version', type: 'string', description: 'Version asked for.', jsonPath: '.spec.version' },
  {
    name: 'Reason',
    type: 'string',
    description: 'Why it is ready or not.',
    jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
  },
  { name: 'Phase', type: 'string', description: 'The state in one word.', jsonPath: '.status.phase', priority: 1 },
  { name: 'Endpoint', type: 'string', description: 'DNS name of the Service.', jsonPath: '.status.grpcEndpoint', priority: 1 },
  { name: 'Replicas', type: 'integer', description: 'How many pods are asked for.', jsonPath: '.spec.replicas', priority: 1 },
  { name: 'Serving', type: 'integer', description: 'How many pods are ready.', jsonPath: '.status.readyReplicas', priority: 1 },
  { name: 'AVS', type: 'string', description: 'Address of the AVS.', jsonPath: '.spec.avsAddress', priority: 1 },
  { name: 'Image', type: 'string', description: 'Image asked for.', jsonPath: '.spec.image', priority: 1 },
  { name: 'Age', type: 'date', description: 'Time since creation.', jsonPath: '.metadata.creationTimestamp' },
];

/** The CustomResourceDefinition of `Performer`, computed from its zod schemas. Pure. */
export function renderCrd(): { readonly [key: string]: unknown } {
  const schema = rootSchema();
  assertStructural(schema);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${performers.plural}.${group}` },
    spec: {
      group,
      names: {
        kind: performers.kind,
        listKind: `${performers.kind}List`,
        plural: performers.plural,
        singular: performers.kind.toLowerCase(),
        shortNames: ['hgp'],
        categories: ['hourglass'],
      },
      scope: performers.namespaced ? 'Namespaced' : 'Cluster',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' },
          },
          additionalPrinterColumns: printerColumns,
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  };
}

function rootSchema(): StructuralSchema {
  const { properties, ...rest } = structuralSchema(performerSchema);
  return {
    ...rest,
    'x-kubernetes-validations': [{ rule: nameFits.cel, message: nameFits.message, fieldPath: `.${nameFits.field}`, optionalOldSelf: true }],
    description: 'A long-running gRPC task server of an AVS. The operator keeps a Pod and a Service with a stable name for it.',
    properties: {
      apiVersion: { description: 'Group and version of this representation.', type: 'string' },
      kind: { description: 'Kind of this object.', type: 'string' },
      // The server describes it itself; but a rule can only point to what is named here.
      metadata: { type: 'object', properties: { name: { type: 'string', description: 'Name of the object.' } } },
      ...properties,
    },
  };
}
