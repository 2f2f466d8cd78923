import { conditionTypes, factTypes, type Reason, reasons } from '../src/api/v1alpha1/conditions.ts';
import { denials } from '../src/oracle/why.ts';

/** What has happened, for each reason. */
const causes: Readonly<Record<Reason, string>> = {
  Serving: 'The newest spec is what serves.',
  Draining: 'It serves, and former pods are on their way out.',
  Repairing: 'It serves, and differences are being put right.',
  Gone: 'There is no Performer, and nothing of it.',
  ManagedElsewhere: '`spec.managedBy` names another controller; nothing is written.',
  Starting: 'Pods are being made or are not ready yet.',
  RolloutInProgress: 'A changed spec is rolled out.',
  Terminating: 'The Performer is being deleted.',
  WaitingForLeftover: 'Objects of a former Performer of this name are going.',
  Paused: '`spec.paused` holds back a changed spec.',
  NodeLost: 'The node of a pod is unreachable.',
  Unschedulable: 'No node fits the pod.',
  SurgeUnschedulable: 'No node fits the new pod while the old one holds its place.',
  ImagePullFailed: 'The node cannot pull the image.',
  ContainerConfigFailed: 'The container cannot be made, mostly since a Secret or ConfigMap is missing.',
  CrashLooping: 'The container ends again and again.',
  OOMKilled: 'The container ends again and again for want of memory.',
  ProbeFailing: 'The container has run for 30 s and does not answer its probes.',
  Evicted: 'The node evicted the pod.',
  Preempted: 'A pod of higher priority took the place.',
  PodFailed: 'A pod ended for good.',
  ProgressDeadlineExceeded: 'New pods are not ready within `spec.progressDeadlineSeconds`. The rollout goes on.',
  QuotaExceeded: 'A ResourceQuota leaves no room.',
  LimitExceeded: 'A LimitRange refuses the pod.',
  PodSecurityViolation: 'Pod Security Admission refuses the pod.',
  WebhookDenied: 'An admission webhook or policy refuses a write, or does not answer.',
  ReferenceMissing: 'A ServiceAccount, RuntimeClass or PriorityClass that the pod names does not exist.',
  NamespaceTerminating: 'The namespace is going.',
  WriteDenied: 'The API server refuses a write.',
  InvalidSpec: 'The stored spec cannot be carried out.',
  NameConflict: 'An object of somebody else holds a name the Performer needs.',
  ForeignPod: 'The Service selects a pod that is not ours. Calls reach it.',
  ForeignWriter: 'Somebody else makes pods of the Performer, or keeps putting back its Service. What they wrote is left alone.',
};

const unstored: readonly Reason[] = ['Draining', 'Repairing', 'Gone', 'ManagedElsewhere'];
const replaced: readonly Reason[] = ['Evicted', 'Preempted', 'PodFailed'];

const header = '<!-- Generated from src/api/v1alpha1/conditions.ts by `npm run generate`; do not edit. -->';

/** docs/conditions.md: every condition and every reason, from the one table. */
export function renderConditions(): string {
  const all = Object.keys(reasons) as Reason[];
  const rows = all
    .filter((reason) => !unstored.includes(reason))
    .map((reason) => {
      const { ready, stalls, progressing, warns, nextStep } = reasons[reason];
      return `| \`${reason}\` | ${causes[reason]} | ${ready ? 'True' : 'False'} | ${progressing ? 'True' : 'False'} | ${stalls ? 'yes' : ''} | ${warns ? 'Warning' : ''} | ${describeRetry(reason)} | ${nextStep} |`;
    });
  const said = all.filter((reason) => unstored.includes(reason)).map((reason) => `- \`${reason}\`: ${causes[reason]}`);
  return `${header}

# Conditions of a Performer

Conditions are written in this order: ${conditionTypes.map((type) => `\`${type}\``).join(', ')}; conditions of others are kept and come first. \`Ready\` is the last one, since executors of the original show the message of the last condition.

- \`Ready\` is True only when the newest spec is what serves. \`Available\` says whether any pod serves, also of a former spec; so does the older field \`status.ready\`.
- \`Progressing\`, \`Degraded\` and, only while they are true, \`Reconciling\` and \`Stalled\` carry the same reason as \`Ready\`. kstatus (Helm, Flux), Argo CD and \`kubectl wait\` judge by them: \`Stalled\` is Failed, \`Ready\` True is Current, all else is InProgress.
- ${factTypes.map((type) => `\`${type}\``).join(', ')} stand for one more fact each and exist only while it holds; \`Scheduled\` is False then, the others True.
- The message names the object and the cause, and ends with the next step where a user can take one.
- In every state a pod that already serves goes on serving.

## Reasons

| Reason | Cause | Ready | Progressing | Stalls | Event | Looked at again | Next step |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}

"Stalls" means that only a user can change it: \`once --wait\` does not wait for it, and its exit code is 3.

## Said of a pass, never stored

\`once -o json\`, \`explain\` and the log use these as well:

${said.join('\n')}
`;
}

/** docs/events.md: every Event that is recorded, from the same table. */
export function renderEvents(): string {
  const rows = (Object.keys(reasons) as Reason[])
    .filter((reason) => reasons[reason].warns)
    .map((reason) => `| \`${reason}\` | Warning | ${causes[reason]} |`);
  return `${header}

# Events of a Performer

An Event is recorded when a Performer comes to a trouble, after the status that says the same is stored; none on the healthy path, and none while the trouble lasts. What comes again becomes a series of the same Event. Each object has a budget of Events, so that one in a bad way cannot flood its namespace. Events go to \`events.k8s.io/v1\`, where that is forbidden to core/v1; an Event that cannot be stored is logged and changes nothing else.

\`kubectl events --for performer/NAME\` shows them. The reason is that of the condition, the message is its message.

| Reason | Type | When |
|---|---|---|
${rows.join('\n')}
`;
}

function describeRetry(reason: Reason): string {
  if (reasons[reason].ready) return 'when something changes';
  if (denials.has(reason)) return 'back-off from 50 ms to 60 s';
  if (replaced.includes(reason)) return 'next pod 30 s after the last was made, twice as long each time, at most 10 min';
  return reasons[reason].rechecks ? 'when something changes, and every 30 s' : 'when something changes';
}
