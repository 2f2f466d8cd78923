import type { Json } from '../../src/lib/canonical-json.ts';
import type { KindName, Target } from './kinds.ts';

/** Which of the versions or uids that were seen a call names. `former`: of an earlier object of the name; `wrong`: nobody's. */
export type VersionChoice = 'none' | 'latest' | 'stale';
export type UidChoice = 'none' | 'right' | 'former' | 'wrong';

export interface OwnerChoice {
  readonly target: Target;
  readonly uid: Exclude<UidChoice, 'none'>;
  readonly controller: boolean;
  readonly block: boolean;
}

export type BodyName = 'plain' | 'bound' | 'refused' | 'strict' | 'unknownField' | 'withStatus' | 'slow';

/** One step of a sequence, in words that mean the same on both sides. */
export type Operation =
  | {
      readonly verb: 'create';
      readonly target: Target;
      readonly body: BodyName;
      readonly finalizers?: readonly string[];
      readonly owners?: readonly OwnerChoice[];
    }
  | { readonly verb: 'patch'; readonly target: Target; readonly patch: Json; readonly version: VersionChoice; readonly status?: true }
  | { readonly verb: 'own'; readonly target: Target; readonly owners: readonly OwnerChoice[]; readonly version: VersionChoice }
  | {
      readonly verb: 'put';
      readonly target: Target;
      readonly patch: Json;
      readonly version: VersionChoice;
      readonly uid: UidChoice;
      readonly status?: true;
    }
  | {
      readonly verb: 'delete';
      readonly target: Target;
      readonly uid: UidChoice;
      readonly version: VersionChoice;
      readonly policy?: 'Background' | 'Foreground' | 'Orphan';
      readonly graceSeconds?: number;
    }
  | { readonly verb: 'watch'; readonly kind: KindName; readonly from: number | 'compacted'; readonly selector?: string }
  | { readonly verb: 'quota'; readonly hard: Readonly<Record<string, string>> };

/** Bodies that a create sends, by kind. */
const finalizerPool = ['model.test/a', 'model.test/b'];

type Draw = <T>(choices: readonly T[]) => T;

const names: Readonly<Record<KindName, readonly string[]>> = {
  performer: ['p', 'q'],
  pod: ['a', 'b'],
  service: ['s', 't'],
  lease: ['l'],
  namespace: ['own'],
};

const labelPatches: readonly Json[] = [
  { metadata: { labels: { tier: 'one' } } },
  { metadata: { labels: { tier: 'two' } } },
  { metadata: { labels: { tier: null } } },
  { metadata: { annotations: { note: 'x' } } },
  { metadata: { annotations: null } },
  { metadata: { labels: { tier: 'not a label!' } } },
];
const finalizerPatches: readonly Json[] = [
  { metadata: { finalizers: ['model.test/a'] } },
  { metadata: { finalizers: ['model.test/a', 'model.test/b'] } },
  { metadata: { finalizers: null } },
  { metadata: { finalizers: null } },
  { metadata: { finalizers: [] } },
  { metadata: { finalizers: ['plain'] } },
];
const serverOnlyPatches: readonly Json[] = [
  { metadata: { generation: 77, creationTimestamp: null, deletionTimestamp: '2020-01-01T00:00:00Z' } },
  { metadata: { uid: '00000000-0000-4000-8000-000000000000' } },
  { metadata: { name: 'other' } },
  { metadata: { namespace: 'other' } },
];
const specPatches: Readonly<Record<KindName, readonly Json[]>> = {
  performer: [
    { spec: { image: 'example.test/avs:2' } },
    { spec: { replicas: 3 } },
    { spec: { replicas: null } },
    { spec: { replicas: -1 } },
    { spec: { version: 'v2' } },
    { spec: { version: null } },
    { spec: { image: null } },
    { spec: { nobodyKnows: 1 } },
    { spec: { image: 'example.test/avs:3' }, status: { replicas: 9 } },
  ],
  pod: [
    { spec: { activeDeadlineSeconds: 100 } },
    { spec: { activeDeadlineSeconds: 50 } },
    { spec: { terminationGracePeriodSeconds: 5 } },
    { spec: { restartPolicy: 'Never' } },
    { spec: { nodeName: 'elsewhere' } },
    { spec: { hostNetwork: true } },
    { status: { message: 'not this way' } },
    { spec: { tolerations: [] } },
    { spec: { containers: [{ name: 'main', image: 'example.test/x:2', ports: [{ name: 'grpc', containerPort: 8080 }] }] } },
  ],
  service: [
    { spec: { ports: [{ name: 'x', port: 81 }] } },
    {
      spec: {
        ports: [
          { name: 'x', port: 80 },
          { name: 'y', port: 81 },
        ],
      },
    },
    { spec: { ports: [] } },
    { spec: { ports: [{ port: 80 }, { port: 81 }] } },
    { spec: { clusterIP: null } },
    { spec: { clusterIP: 'None' } },
    { spec: { sessionAffinity: 'ClientIP' } },
    { spec: { publishNotReadyAddresses: true } },
  ],
  lease: [{ spec: { holderIdentity: 'me' } }, { spec: { holderIdentity: 'you' } }, { spec: { leaseTransitions: 2 } }, { spec: null }],
  namespace: [
    { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } } },
    { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } },
    { metadata: { labels: { 'pod-security.kubernetes.io/enforce': null } } },
  ],
};
const statusPatches: Readonly<Record<KindName, readonly Json[]>> = {
  performer: [
    { status: { replicas: 1 } },
    { status: { readyReplicas: 1, phase: 'Running' } },
    { status: { replicas: 2 }, spec: { replicas: 7 }, metadata: { labels: { tier: 'three' } } },
    { status: null },
    { status: { unknownToo: true } },
    { status: { replicas: 'many' } },
  ],
  pod: [
    { status: { message: 'told' } },
    { status: { phase: 'Failed' } },
    { status: { phase: 'Succeeded' } },
    { status: { phase: 'Running' }, metadata: { labels: { tier: 'three' } } },
    { status: null },
  ],
  service: [
    { status: { conditions: [{ type: 'X', status: 'True', reason: 'R', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }] } },
    { status: null },
  ],
  lease: [{ status: { any: 1 } }],
  namespace: [{ status: { phase: 'Active' } }],
};

/** The steps of one sequence. Equal draws give equal steps. @param random numbers from [0, 1) */
export function drawSequence(random: () => number, length: number): readonly Operation[] {
  const draw: Draw = (choices) => choices[Math.floor(random() * choices.length)] as never;
  const chance = (share: number): boolean => random() < share;
  // What a sequence is about: rare things would otherwise never meet each other.
  const theme = { quota: chance(0.25), leaves: chance(0.08), security: chance(0.2), owners: chance(0.6) };
  const kindNames: readonly KindName[] = ['performer', 'performer', 'pod', 'pod', 'pod', 'service', 'service', 'lease'];
  const target = (): Target => {
    const kind = draw(kindNames);
    return { kind, name: draw(names[kind]) };
  };
  const ownerOf = (): OwnerChoice => {
    const kind = draw<KindName>(['performer', 'performer', 'service', 'pod', 'lease']);
    return {
      target: { kind, name: draw(names[kind]) },
      uid: draw(['right', 'right', 'right', 'right', 'former', 'wrong'] as const),
      controller: chance(0.6),
      block: chance(0.5),
    };
  };
  const ownersOf = (): readonly OwnerChoice[] => Array.from({ length: chance(0.2) ? 2 : 1 }, ownerOf);
  const version = (): VersionChoice => draw(['none', 'latest', 'latest', 'stale'] as const);
  const create = (): Operation => ({
    verb: 'create',
    target: target(),
    body: draw([
      'plain',
      'plain',
      'plain',
      'plain',
      'bound',
      'bound',
      'slow',
      'strict',
      'strict',
      'refused',
      'unknownField',
      'withStatus',
    ] as const),
    ...(chance(0.3) ? { finalizers: finalizerPool.slice(0, chance(0.5) ? 1 : 2) } : {}),
    ...(theme.owners && chance(0.5) ? { owners: ownersOf() } : {}),
  });
  const mainPatch = (kind: KindName): Json =>
    draw([...specPatches[kind], ...specPatches[kind], ...labelPatches, ...finalizerPatches, draw(serverOnlyPatches)]);
  const step = (index: number): Operation => {
    if (theme.quota && index > 0 && chance(0.12))
      return { verb: 'quota', hard: draw([{ pods: '1' }, { pods: '2', services: '1' }, { services: '0' }]) };
    if (theme.security && chance(0.15))
      return { verb: 'patch', target: { kind: 'namespace', name: 'own' }, patch: draw(specPatches.namespace), version: 'none' };
    if (theme.leaves && index > 3 && chance(0.15))
      return {
        verb: 'delete',
        target: { kind: 'namespace', name: 'own' },
        uid: 'none',
        version: 'none',
        ...(chance(0.3) ? { policy: 'Foreground' } : {}),
      };
    const roll = random();
    const at = target();
    if (roll < 0.34 || index < 2) return create();
    if (roll < 0.52) return { verb: 'patch', target: at, patch: mainPatch(at.kind), version: version() };
    if (roll < 0.58) return { verb: 'patch', target: at, patch: draw(statusPatches[at.kind]), version: version(), status: true };
    if (roll < 0.64 && theme.owners) return { verb: 'own', target: at, owners: chance(0.2) ? [] : ownersOf(), version: version() };
    if (roll < 0.76) {
      const isStatus = chance(0.25);
      const patch = isStatus ? draw(statusPatches[at.kind]) : mainPatch(at.kind);
      const uid = draw(['right', 'right', 'none', 'former'] as const);
      return { verb: 'put', target: at, patch, version: version(), uid, ...(isStatus ? { status: true } : {}) };
    }
    if (roll < 0.82) {
      const selector = chance(0.4) ? draw(['tier=one', '!tier', 'tier in (one,two)']) : undefined;
      // Only of a kind that came late does the API server's cache begin after the first revision.
      const isOld = chance(0.15);
      const kind = isOld ? 'performer' : at.kind;
      return { verb: 'watch', kind, from: isOld ? 'compacted' : Math.floor(random() * 6), ...(selector === undefined ? {} : { selector }) };
    }
    const policy = draw([undefined, undefined, 'Background', 'Foreground', 'Foreground', 'Orphan'] as const);
    // A pod whose grace period is over weighs nothing in a quota, and time is not the same on both sides.
    const graceSeconds = draw<number | undefined>([undefined, undefined, undefined, 0, 60, ...(theme.quota ? [] : [1, 5, -1])]);
    return {
      verb: 'delete',
      target: at,
      uid: draw(['none', 'none', 'right', 'right', 'former'] as const),
      version: draw(['none', 'none', 'none', 'latest', 'stale'] as const),
      ...(policy === undefined ? {} : { policy }),
      ...(graceSeconds === undefined ? {} : { graceSeconds }),
    };
  };
  return Array.from({ length }, (_, index) => step(index));
}
