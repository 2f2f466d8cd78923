import { type Pod, pods } from '../../src/kube/objects.ts';
import type { KubeApi } from '../../src/kube/port.ts';

const scheduledAt = '2026-01-01T00:00:00Z';
const writersAtOnce = 24;

/** Makes `count` pods of 4–6 KB that no scheduler takes, with the status of pods that serve. `tell` hears how many there are. */
export async function createBenchPods(kube: KubeApi, namespace: string, count: number, tell: (made: number) => void): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      const pod = await kube.create(pods, buildPod(namespace, index));
      const { name = '', resourceVersion = '' } = pod.metadata ?? {};
      await kube.patch(pods, { namespace, name }, { status: buildStatus(index) }, { subresource: 'status', resourceVersion });
      if (index % 500 === 0) tell(index);
    }
  };
  await Promise.all(Array.from({ length: writersAtOnce }, work));
}

function buildPod(namespace: string, index: number): Pod {
  const name = `performer-bench-${index}`;
  const probe = { grpc: { port: 8080 }, periodSeconds: 1, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 };
  return {
    metadata: {
      name,
      namespace,
      labels: {
        app: 'hourglass-performer',
        'app.kubernetes.io/name': 'hourglass-performer',
        'app.kubernetes.io/instance': `bench-${index}`,
        'app.kubernetes.io/version': '1.4.2',
        'hourglass.eigenlayer.io/performer': `bench-${index}`,
        'hourglass.eigenlayer.io/avs': '0x5fc8d32690cc91d4c39d9d3abcbd16989f875707',
      },
      annotations: { 'example.com/build': 'a'.repeat(64), 'example.com/owner': `team-${index % 40}`, 'example.com/notes': 'n'.repeat(300) },
    },
    spec: {
      schedulerName: 'nobody',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      containers: [
        {
          name: 'performer',
          image: `registry.example.com/avs/performer-${index % 20}:1.4.2`,
          ports: [{ name: 'grpc', containerPort: 8080 }],
          env: Array.from({ length: 18 }, (_, at) => ({ name: `SETTING_NUMBER_${at}`, value: `value ${at} of performer ${index}` })),
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '512Mi' } },
          startupProbe: { ...probe, failureThreshold: 300 },
          readinessProbe: probe,
          livenessProbe: { ...probe, periodSeconds: 10 },
        },
      ],
    },
  };
}

function buildStatus(index: number): NonNullable<Pod['status']> {
  const types = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'];
  const image = `registry.example.com/avs/performer-${index % 20}`;
  return {
    phase: 'Running',
    podIP: `10.64.${Math.floor(index / 250)}.${(index % 250) + 1}`,
    startTime: scheduledAt,
    conditions: types.map((type) => ({ type, status: 'True', lastTransitionTime: scheduledAt })),
    containerStatuses: [
      {
        name: 'performer',
        image: `${image}:1.4.2`,
        imageID: `${image}@sha256:${'0123456789abcdef'.repeat(4)}`,
        containerID: `containerd://${'fedcba9876543210'.repeat(4)}`,
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: scheduledAt } },
      },
    ],
  } as NonNullable<Pod['status']>;
}
