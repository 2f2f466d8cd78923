import { createOracles } from '../src/oracle/all.ts';
import { calmContext } from '../src/oracle/define.ts';
import { type FaultId, faultIds } from '../src/sim/faults/faults.ts';
import { scenarios } from '../src/sim/scenarios.ts';

/** What each fault does. */
const faults: Readonly<Record<FaultId, string>> = {
  'crash-before': 'The operator is killed before a write of its reaches the API server.',
  'crash-after': 'The operator is killed once a write has happened, before it learns of it.',
  'timeout-applied': 'A write happens, and no answer comes.',
  'timeout-lost': 'A write is lost, and no answer comes.',
  'write-500': 'A write is answered by 500.',
  'write-503': 'A write is answered by 503.',
  'write-429': 'A write is answered by 429 with Retry-After.',
  'conflict-moved': 'Somebody else changes the object just before a patch or delete of it.',
  'name-taken': 'Somebody else makes an object of the name just before a create.',
  'quota-exceeded': 'A create is refused by a ResourceQuota.',
  'namespace-terminating': 'A create is refused since the namespace is going.',
  'write-forbidden': 'A write is refused by RBAC.',
  'write-invalid': 'A write is answered by 422.',
  'target-gone': 'Somebody else deletes the pod or the Service just before a patch or delete of it.',
  'performer-gone': 'Somebody deletes the Performer just before its status is written.',
  'lease-conflict': 'Somebody else changes the Lease just before a write to it.',
  'lease-gone': 'Somebody else deletes the Lease just before a write to it.',
  'lease-timeout-applied': 'A write to the Lease happens, and no answer comes.',
  'lease-timeout-lost': 'A write to the Lease is lost, and no answer comes.',
  'lease-500': 'A write to the Lease is answered by 500.',
  'event-refused': 'An Event is refused by RBAC.',
  'event-timeout-applied': 'An Event is written, and no answer comes.',
  'watch-disconnect': 'All watches end.',
  'watch-reset': 'All watches break.',
  'watch-410': 'The history is compacted, and all watches are told that they are too old.',
  'deletion-missed': 'A deletion happens while the watches are broken, and its history is gone.',
  'front-switch': 'An operator is moved to another API server, whose cache is older by seconds and stands still for some more.',
  'operator-kill': 'An operator is killed and started again.',
  'operator-terminate': 'An operator gets SIGTERM.',
  'operator-time-travel': 'An operator is killed and starts against caches that are behind.',
  'clock-jump-ahead': "An operator's wall clock jumps 5 min ahead.",
  'clock-jump-back': "An operator's wall clock jumps 5 min back.",
  'container-killed': 'The container of a pod is killed.',
  'pod-evicted': 'The node evicts a pod.',
  'pod-preempted': 'A pod of higher priority takes the place of a pod.',
  'pod-deleted': 'Somebody deletes a pod.',
  'pod-force-deleted': 'Somebody deletes a pod without grace.',
  'label-removed': 'Somebody takes off the label by which the Service finds a pod.',
  'label-changed': 'Somebody changes that label.',
  'revision-removed': 'Somebody takes off the revision label of a pod.',
  'owner-removed': 'Somebody takes off the owner reference of a pod.',
  'image-swapped': 'Somebody swaps the image of a pod.',
  'node-removed': 'A machine goes, and its Node.',
  'node-drained': 'A node is cordoned and its pods are evicted; a minute later it is back.',
  'service-deleted': 'Somebody deletes a Service.',
  'service-edited': 'Somebody changes the selector or the ports of a Service.',
  'foreign-pod': 'Somebody makes a pod with the labels of a Performer.',
  'history-compacted': 'The history of the store is compacted.',
  'watch-lag': 'Watches are late, by up to a minute, of all API servers or of one.',
  'watch-stalled': 'Watches bring nothing, not even bookmarks, of all API servers or of one.',
  'watch-held': 'Watches bring bookmarks only, of all API servers or of one.',
  'watch-reordered': 'Watches of one kind bring nothing while the others go on.',
  'watch-doubled': 'Each event comes twice.',
  'watch-coalesced': 'Of several changes of an object only the last comes.',
  'cache-stale': 'Lists show the past, those of all API servers or of one.',
  'api-down': 'The API servers are down.',
  'api-slow': 'Calls take up to some seconds.',
  'api-throttles': 'Half of all calls but writes to Performers, pods and Services are answered by 429.',
  'operator-cut': 'The network cuts an operator off.',
  'operator-frozen': 'An operator is stopped (SIGSTOP) and goes on.',
  'second-leader': 'Another operator acts as if it led, whatever the Lease says.',
  'original-writes': 'The Go original puts back its own Services and first pods every 10 s; its pods stay when it goes.',
  'crd-replaced':
    'An older CRD, of ours or of the Go original, is in place for a while: fields it does not know are not shown, and lost where an object is written.',
  'rights-revoked': 'A verb is taken from the operator.',
  'node-cut': 'A node is cut off; its containers go on and serve.',
  'node-off': 'A node loses power.',
  'node-out-of-service': 'A node loses power, and somebody taints it out-of-service.',
  'all-nodes-cut': 'All nodes are cut off.',
  'pod-unready': 'A pod stops answering its probes.',
  'finalizer-of-another': 'Somebody holds a pod by a finalizer.',
  'quota-tight': 'A ResourceQuota allows a namespace as many pods as it has, and is taken away again.',
  'security-enforced': 'Pod Security is enforced in a namespace at the level restricted or baseline, and no more after a while.',
  'object-held': 'Somebody holds a Performer or a Service by a finalizer.',
  'event-blocked': 'Lists and watches leave out one event and what follows it of its kind, until a certain write.',
  'clock-rate': 'The monotonic clock of an operator, or of all, runs at half or at double rate, from its start to its end.',
  'crash-at-step': 'The operator is killed at its nth step: when an answer or a timer reaches it.',
  'namespace-deleted': 'A user deletes a namespace. No fault of its own, as what follows: counted by namespace or pod.',
  'pod-unschedulable': 'No node has room for a pod: it is Pending as long as nothing changes.',
  'image-unpullable': 'An image cannot be pulled.',
  'container-crash-loop': 'A container ends again and again.',
  'container-out-of-memory': 'A container is killed as it takes more memory than it may.',
};

const ids = Object.keys(faults) as readonly FaultId[];

/** docs/simulation-ids.md: every fault, statement and scenario by its id. */
export function renderSimulationIds(): string {
  const missing = faultIds.filter((id) => !ids.includes(id));
  if (missing.length > 0) throw new Error(`scripts/simulation-reference.ts says nothing of ${missing.join(', ')}`);
  return `<!-- Generated from src/sim and src/oracle by \`npm run generate\`; do not edit. -->

# Faults, statements and scenarios of the simulator

What they are, and how to read a violation: [Simulation](simulation.md).

## Faults

| Id | What happens |
|---|---|
${ids.map((id) => `| \`${id}\` | ${faults[id]} |`).join('\n')}

## Statements

Each is put to the test in every run. Besides them the run itself makes four: \`B1\` a pass threw, \`B2\` a process ended by itself, \`B3\` a run did not end, or the simulator threw, \`B4\` a seed came to two different ends.

| Oracle | What must hold |
|---|---|
${createOracles(calmContext)
  .map(({ id, statement }) => `| \`${id}\` | ${statement.replaceAll('|', '\\|')} |`)
  .join('\n')}

## Scenarios

| Scenario | What happens |
|---|---|
${scenarios.map(({ name, about }) => `| \`${name}\` | ${about} |`).join('\n')}
`;
}
