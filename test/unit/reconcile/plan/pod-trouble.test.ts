import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../../src/kube/objects.ts';
import { findTrouble, type PodTrouble } from '../../../../src/reconcile/plan/pod-trouble.ts';

const startedAt = '2026-01-01T00:00:00Z';
const startedMs = Date.parse(startedAt);
const of = (status: object): Pod => ({ status }) as Pod;
const container = (change: object): Pod =>
  of({ phase: 'Pending', containerStatuses: [{ name: 'performer', image: 'avs:1', ready: false, restartCount: 0, ...change }] });
const waiting = (reason: string, message?: string): Pod =>
  container({ state: { waiting: { reason, ...(message === undefined ? {} : { message }) } } });
const ended = (reason: string, exitCode: number) => ({ terminated: { reason, exitCode } });
const running = { running: { startedAt } };

describe('findTrouble', () => {
  it.each<{ name: string; pod: Pod; trouble: PodTrouble | undefined }>([
    { name: 'nothing of a pod that nobody has looked at', pod: {} as Pod, trouble: undefined },
    { name: 'nothing of a pod that just started', pod: of({ phase: 'Pending' }), trouble: undefined },
    { name: 'nothing of a container that is being created', pod: waiting('ContainerCreating'), trouble: undefined },
    { name: 'nothing of a container whose kubelet says nothing', pod: container({}), trouble: undefined },
    ...['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'RegistryUnavailable', 'ImageInspectError'].map(
      (reason) => ({
        name: `an image that cannot be had, by ${reason}`,
        pod: waiting(reason, 'no such tag'),
        trouble: { reason: 'ImagePullFailed', message: 'avs:1: no such tag' } as const,
      }),
    ),
    {
      name: 'the word of the kubelet where it has no message',
      pod: waiting('ErrImagePull'),
      trouble: { reason: 'ImagePullFailed', message: 'avs:1: ErrImagePull' },
    },
    {
      name: 'one cause behind the words of backing off',
      pod: waiting('ImagePullBackOff', 'Back-off pulling image "avs:1": ErrImagePull: no such tag'),
      trouble: { reason: 'ImagePullFailed', message: 'avs:1: no such tag' },
    },
    {
      name: 'a cause that only begins with the name of the error',
      pod: waiting('ImagePullBackOff', 'Back-off pulling image "avs:1": no such tag'),
      trouble: { reason: 'ImagePullFailed', message: 'avs:1: no such tag' },
    },
    {
      name: 'words of backing off in the middle of a cause as they are',
      pod: waiting('ErrImagePull', 'proxy: Back-off pulling image "avs:1"'),
      trouble: { reason: 'ImagePullFailed', message: 'avs:1: proxy: Back-off pulling image "avs:1"' },
    },
    {
      name: 'that there is no cause behind the words of backing off',
      pod: waiting('ImagePullBackOff', 'Back-off pulling image "avs:1"'),
      trouble: { reason: 'ImagePullFailed', message: 'avs:1: cannot be pulled' },
    },
    {
      name: 'no image where the kubelet names none',
      pod: container({ image: undefined, state: { waiting: { reason: 'ErrImagePull', message: 'no' } } }),
      trouble: { reason: 'ImagePullFailed', message: ': no' },
    },
    ...['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError', 'PreCreateHookError', 'PostStartHookError'].map(
      (reason) => ({
        name: `a container that cannot be made, by ${reason}`,
        pod: waiting(reason, 'secret "s" not found'),
        trouble: { reason: 'ContainerConfigFailed', message: 'secret "s" not found' } as const,
      }),
    ),
    {
      name: 'a crash loop by the word of the kubelet',
      pod: container({ restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: ended('Error', 2) }),
      trouble: { reason: 'CrashLooping', message: 'container performer ends again and again, with exit code 2' },
    },
    {
      name: 'a crash loop of which no end is known',
      pod: waiting('CrashLoopBackOff'),
      trouble: { reason: 'CrashLooping', message: 'container performer ends again and again' },
    },
    {
      name: 'a crash loop between two tries by its second restart',
      pod: container({ restartCount: 2, state: running, lastState: ended('Error', 1) }),
      trouble: { reason: 'CrashLooping', message: 'container performer ends again and again, with exit code 1' },
    },
    {
      name: 'a crash loop while the container lies ended',
      pod: container({ restartCount: 3, state: ended('Error', 137) }),
      trouble: { reason: 'CrashLooping', message: 'container performer ends again and again, with exit code 137' },
    },
    { name: 'no crash loop after one restart', pod: container({ restartCount: 1, lastState: ended('Error', 1) }), trouble: undefined },
    { name: 'no crash loop of which no end is known and no word said', pod: container({ restartCount: 5 }), trouble: undefined },
    {
      name: 'no crash loop of a container that is ready',
      pod: container({ ready: true, restartCount: 9, lastState: ended('Error', 1) }),
      trouble: undefined,
    },
    {
      name: 'too little memory rather than a crash loop',
      pod: container({ restartCount: 2, state: running, lastState: ended('OOMKilled', 137) }),
      trouble: { reason: 'OOMKilled', message: 'container performer uses more memory than its limit allows' },
    },
    {
      name: 'probes that are not answered, from half a minute after the start on',
      pod: of({ phase: 'Running', containerStatuses: [{ name: 'performer', ready: false, restartCount: 0, state: running }] }),
      trouble: { reason: 'ProbeFailing', message: 'container performer runs but does not answer its probes', fromMs: startedMs + 30_000 },
    },
    { name: 'no failing probe before the pod runs', pod: container({ state: running }), trouble: undefined },
    {
      name: 'no failing probe of a container that is ready',
      pod: of({ phase: 'Running', containerStatuses: [{ name: 'performer', ready: true, restartCount: 0, state: running }] }),
      trouble: undefined,
    },
    {
      name: 'what keeps an init container before what keeps ours',
      pod: of({
        initContainerStatuses: [{ name: 'init', image: 'init:1', state: { waiting: { reason: 'ErrImagePull', message: 'first' } } }],
        containerStatuses: [{ name: 'performer', image: 'avs:1', state: { waiting: { reason: 'ErrImagePull', message: 'second' } } }],
      }),
      trouble: { reason: 'ImagePullFailed', message: 'init:1: first' },
    },
    {
      name: 'that no node fits, in the words of the scheduler',
      pod: of({
        conditions: [
          { type: 'Ready', status: 'False', reason: 'Unschedulable', message: 'not this one' },
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
        ],
      }),
      trouble: { reason: 'Unschedulable', message: '0/3 nodes are available' },
    },
    {
      name: 'that no node fits where the scheduler has no words',
      pod: of({ conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] }),
      trouble: { reason: 'Unschedulable', message: 'no node fits' },
    },
    {
      name: 'nothing of a pod that found its node',
      pod: of({ conditions: [{ type: 'PodScheduled', status: 'True', reason: 'Unschedulable' }] }),
      trouble: undefined,
    },
    {
      name: 'nothing of a pod that the scheduler holds back on purpose',
      pod: of({ conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
      trouble: undefined,
    },
    {
      name: 'an end without words by its phase',
      pod: of({ phase: 'Failed' }),
      trouble: { reason: 'PodFailed', message: 'ended in phase Failed' },
    },
    {
      name: 'an end in peace as an end all the same',
      pod: of({ phase: 'Succeeded', reason: '', message: '' }),
      trouble: { reason: 'PodFailed', message: 'ended in phase Succeeded' },
    },
    {
      name: 'an end by its reason and message',
      pod: of({ phase: 'Failed', reason: 'UnexpectedAdmissionError', message: 'no GPU' }),
      trouble: { reason: 'PodFailed', message: 'UnexpectedAdmissionError: no GPU' },
    },
    {
      name: 'an end by its message alone',
      pod: of({ phase: 'Failed', message: 'no GPU' }),
      trouble: { reason: 'PodFailed', message: 'no GPU' },
    },
    {
      name: 'an eviction by the kubelet',
      pod: of({ phase: 'Failed', reason: 'Evicted', message: 'low on memory' }),
      trouble: { reason: 'Evicted', message: 'Evicted: low on memory' },
    },
    {
      name: 'an eviction by its condition',
      pod: of({ phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }] }),
      trouble: { reason: 'Evicted', message: 'ended in phase Failed' },
    },
    {
      name: 'that another pod took its place, by its condition',
      pod: of({
        phase: 'Failed',
        reason: 'Evicted',
        conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }],
      }),
      trouble: { reason: 'Preempted', message: 'Evicted' },
    },
    {
      name: 'that another pod took its place, by its reason',
      pod: of({ phase: 'Failed', reason: 'Preempting' }),
      trouble: { reason: 'Preempted', message: 'Preempting' },
    },
    {
      name: 'no disruption that was called off, nor any other condition',
      pod: of({
        phase: 'Failed',
        conditions: [
          { type: 'DisruptionTarget', status: 'False', reason: 'PreemptionByScheduler' },
          { type: 'Ready', status: 'True', reason: 'TerminationByKubelet' },
        ],
      }),
      trouble: { reason: 'PodFailed', message: 'ended in phase Failed' },
    },
  ])('tells $name', ({ pod, trouble }) => {
    expect(findTrouble(pod)).toEqual(trouble);
  });
});
