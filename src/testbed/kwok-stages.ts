import { stringify } from 'yaml';

/** How fast the pods of fake nodes live: `instant` for work on logic, `node-like` for times a real node would need. */
export type KwokProfile = 'instant' | 'node-like';

/** Annotation of a pod that chooses its behavior; it may change while the pod runs. An image tag that ends in the behavior does the same. */
export const behaviorAnnotation = 'hourglass.test/behavior';
export const behaviors = ['pull-fails', 'crashes', 'never-ready'] as const;
/** `runs` is the behavior of every pod that names none, or one that is not known. */
export type Behavior = (typeof behaviors)[number] | 'runs';

/** What a pod's first container is seen to do: `new` has no status yet, `changed` runs another image than its spec names. */
type Seen = 'new' | 'changed' | 'pull-fails' | 'crashes' | 'unready' | 'ready';

interface Delay {
  readonly fromMs: number;
  readonly toMs: number;
}

interface PodStage {
  readonly name: string;
  readonly behaviors: readonly Behavior[];
  readonly seen: readonly Seen[];
  readonly becomes: 'pull-fails' | 'crashes' | 'unready' | 'ready';
  readonly delay?: Delay;
}

const start: Delay = { fromMs: 300, toMs: 700 };
const settle: Delay = { fromMs: 500, toMs: 1_000 };
const end: Delay = { fromMs: 250, toMs: 400 };

/**
 * What happens to a pod that wants a behavior and is seen in a state. Rows of a profile never overlap, so a pod has at most one next step,
 * and a pod that is seen doing what it wants has none. A failed pull touches no container that runs.
 */
const podStages: Readonly<Record<KwokProfile, readonly PodStage[]>> = {
  instant: [
    { name: 'pod-serves', behaviors: ['runs'], seen: ['new', 'changed', 'pull-fails', 'crashes', 'unready'], becomes: 'ready' },
    {
      name: 'pod-stays-unready',
      behaviors: ['never-ready'],
      seen: ['new', 'changed', 'pull-fails', 'crashes', 'ready'],
      becomes: 'unready',
    },
    { name: 'pod-crashes', behaviors: ['crashes'], seen: ['new', 'changed', 'pull-fails', 'unready', 'ready'], becomes: 'crashes' },
    { name: 'pod-pull-fails', behaviors: ['pull-fails'], seen: ['new', 'changed', 'crashes'], becomes: 'pull-fails' },
  ],
  'node-like': [
    {
      name: 'pod-starts',
      behaviors: ['runs', 'never-ready'],
      seen: ['new', 'changed', 'pull-fails', 'crashes'],
      becomes: 'unready',
      delay: start,
    },
    { name: 'pod-starts-to-crash', behaviors: ['crashes'], seen: ['new', 'changed', 'pull-fails'], becomes: 'unready', delay: start },
    { name: 'pod-serves', behaviors: ['runs'], seen: ['unready'], becomes: 'ready', delay: settle },
    { name: 'pod-turns-unready', behaviors: ['never-ready'], seen: ['ready'], becomes: 'unready', delay: settle },
    { name: 'pod-crashes', behaviors: ['crashes'], seen: ['unready', 'ready'], becomes: 'crashes', delay: settle },
    { name: 'pod-pull-fails', behaviors: ['pull-fails'], seen: ['new', 'changed', 'crashes'], becomes: 'pull-fails', delay: settle },
  ],
};

/** jq over a pod; gives one word. */
const behaviorQuery =
  `.metadata.annotations["${behaviorAnnotation}"] as $asked | ` +
  `if ($asked | IN("runs", ${behaviors.map((behavior) => `"${behavior}"`).join(', ')})) then $asked else ` +
  `((.spec.containers[0].image | capture("[:-](?<word>${behaviors.join('|')})$") | .word) // "runs") end`;

/** jq over a pod; gives a word of `Seen`. */
const seenQuery =
  '.spec.containers[0].image as $image | .status.containerStatuses[0] as $seen | ' +
  'if $seen == null then "new" ' +
  'elif $seen.image != $image then "changed" ' +
  'elif $seen.state.waiting.reason == "ImagePullBackOff" then "pull-fails" ' +
  'elif $seen.state.waiting.reason == "CrashLoopBackOff" then "crashes" ' +
  'elif $seen.ready then "ready" else "unready" end';

/** KWOK's configuration file: its settings and one Stage per step of a pod or node. Pure. */
export function buildKwokConfig(profile: KwokProfile): string {
  const settings = {
    apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
    kind: 'KwokConfiguration',
    metadata: { name: 'kwok' },
    // With a file of settings KWOK has no defaults of its own; more than its usual 4 pod steps at a time, for waves of new pods.
    options: { podPlayStageParallelism: 16, nodePlayStageParallelism: 4, nodeLeaseParallelism: 4 },
  };
  const stages = [...nodeStages, deleteStage(profile), ...podStages[profile].map(buildPodStage)];
  return [settings, ...stages].map((document) => stringify(document, { lineWidth: 0 })).join('---\n');
}

const isNotDeleting = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
const podReference = { apiGroup: 'v1', kind: 'Pod' };

function buildStage(name: string, spec: object): object {
  return { apiVersion: 'kwok.x-k8s.io/v1alpha1', kind: 'Stage', metadata: { name }, spec };
}

function buildDelay(delay: Delay): object {
  return { durationMilliseconds: delay.fromMs, jitterDurationMilliseconds: delay.toMs };
}

function buildPodStage(stage: PodStage): object {
  return buildStage(stage.name, {
    resourceRef: podReference,
    selector: {
      matchExpressions: [
        isNotDeleting,
        { key: '.status.phase', operator: 'In', values: ['Pending', 'Running'] },
        { key: behaviorQuery, operator: 'In', values: [...stage.behaviors] },
        { key: seenQuery, operator: 'In', values: [...stage.seen] },
      ],
    },
    ...(stage.delay === undefined ? {} : { delay: buildDelay(stage.delay) }),
    steps: [{ patch: { subresource: 'status', root: 'status', template: podStatusTemplate(stage.becomes) } }],
  });
}

/** The pod goes at once whatever its grace period: KWOK deletes it with a grace period of 0. */
function deleteStage(profile: KwokProfile): object {
  return buildStage('pod-goes', {
    resourceRef: podReference,
    selector: {
      matchExpressions: [
        { key: '.metadata.deletionTimestamp', operator: 'Exists' },
        // Once is enough: after it a pod only waits for its finalizers.
        { key: '.metadata.deletionGracePeriodSeconds == 0', operator: 'NotIn', values: ['true'] },
      ],
    },
    ...(profile === 'node-like' ? { delay: buildDelay(end) } : {}),
    steps: [{ delete: true }],
  });
}

const containerStates: Readonly<Record<PodStage['becomes'], string>> = {
  ready: 'running: { startedAt: {{ $startedAt | Quote }} }',
  unready: 'running: { startedAt: {{ $startedAt | Quote }} }',
  'pull-fails': `waiting:
      reason: ImagePullBackOff
      message: {{ printf "Back-off pulling image %q: ErrImagePull: failed to pull and unpack image %q: not found" $container.image $container.image | Quote }}`,
  crashes: `waiting:
      reason: CrashLoopBackOff
      message: {{ printf "back-off 40s restarting failed container=%s pod=%s_%s(%s)" $container.name $pod.metadata.name $pod.metadata.namespace $pod.metadata.uid | Quote }}
  lastState:
    terminated: { exitCode: 1, reason: Error, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} }`,
};

/** A Go template of the status a kubelet would report; it keeps the IP, start time and restart count the pod has. */
function podStatusTemplate(becomes: PodStage['becomes']): string {
  const ready = becomes === 'ready';
  const waitsForImage = becomes === 'pull-fails';
  const readyCondition = (type: string): string =>
    ready
      ? `- { type: ${type}, status: "True", lastTransitionTime: {{ $now | Quote }}, reason: null, message: null }`
      : `- { type: ${type}, status: "False", lastTransitionTime: {{ $now | Quote }}, reason: ContainersNotReady, message: "containers with unready status" }`;
  return `{{ $now := Now }}
{{ $pod := . }}
phase: ${waitsForImage ? '{{ if eq .status.phase "Running" }}Running{{ else }}Pending{{ end }}' : 'Running'}
startTime: {{ or .status.startTime $now | Quote }}
{{ if not .status.podIP }}
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
hostIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
{{ with PodIPsWith .spec.nodeName ( or .spec.hostNetwork false ) .metadata.uid .metadata.name .metadata.namespace }}
podIP: {{ index . 0 | Quote }}
podIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
{{ end }}
conditions:
{{ if not .status.startTime }}
- { type: PodReadyToStartContainers, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }} }
{{ end }}
${readyCondition('ContainersReady')}
${readyCondition('Ready')}
containerStatuses:
{{ range $index, $container := .spec.containers }}
{{ $restarts := 0 }}
{{ $startedAt := $now }}
{{ if $pod.status.containerStatuses }}
{{ $before := index $pod.status.containerStatuses $index }}
{{ $restarts = int $before.restartCount }}
{{ if ne $before.image $container.image }}
{{ $restarts = add $restarts 1 }}
{{ else if $before.state.running }}
{{ $startedAt = $before.state.running.startedAt }}
{{ end }}
{{ end }}
- name: {{ $container.name | Quote }}
  image: {{ $container.image | Quote }}
  imageID: ${waitsForImage ? '""' : '{{ $container.image | Quote }}'}
  ready: ${ready}
  started: ${ready}
  restartCount: ${becomes === 'crashes' ? '{{ add $restarts 3 }}' : '{{ $restarts }}'}
  state:
    ${containerStates[becomes]}
{{ end }}
`;
}

const nodeReference = { apiGroup: 'v1', kind: 'Node' };
const nodeReadyQuery = '.status.conditions[]? | select(.type == "Ready") | .status';

const nodeStages: readonly object[] = [
  buildStage('node-becomes-ready', {
    resourceRef: nodeReference,
    selector: { matchExpressions: [isNotDeleting, { key: nodeReadyQuery, operator: 'NotIn', values: ['True'] }] },
    steps: [
      {
        patch: {
          subresource: 'status',
          root: 'status',
          template: `{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
`,
        },
      },
    ],
  }),
  // The node's Lease is its heartbeat; its status is only renewed now and then, as a kubelet does.
  buildStage('node-reports', {
    resourceRef: nodeReference,
    selector: { matchExpressions: [isNotDeleting, { key: nodeReadyQuery, operator: 'In', values: ['True'] }] },
    delay: buildDelay({ fromMs: 240_000, toMs: 300_000 }),
    steps: [
      {
        patch: {
          subresource: 'status',
          root: 'status',
          template: `{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- { type: {{ .type | Quote }}, lastHeartbeatTime: {{ $now | Quote }} }
{{ end }}
`,
        },
      },
    ],
  }),
];
