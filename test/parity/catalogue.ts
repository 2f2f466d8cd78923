/** One thing the Go operator of this API does wrong or leaves undone, and what is done here. Tests begin with its number. */
export interface ParityRow {
  /** `OP-<n>`. */
  readonly id: number;
  readonly about: string;
  readonly original: string;
  readonly ours: string;
}

export const parity: readonly ParityRow[] = [
  {
    id: 1,
    about: 'Phases outside the enum',
    original: 'Copies the pod phases Succeeded and Unknown into status; the API server refuses the write, and the pass fails.',
    ours: 'The phase is computed from what serves and is always one of the five words; a pod that ended is replaced.',
  },
  {
    id: 2,
    about: 'Ready without a pod',
    original: '`status.ready` stays true when the pod is gone, and `readyTime` is that of the first readiness for ever.',
    ours: '`ready` is false in the pass that sees the pod gone; `readyTime` is that of the present readiness.',
  },
  {
    id: 3,
    about: 'Image change',
    original: 'The old pod is deleted first: an outage at each change, calls in flight are cut, a bad image leaves nothing.',
    ours: 'The new pod serves before the old one leaves the Service, drains and goes. A bad image leaves the old one serving, and the status says why.',
  },
  {
    id: 4,
    about: 'Other changes',
    original:
      'No change but that of the image is seen: not environment, args, command, port, resources, account, scheduling, hardware, pull policy, pull secrets, version; nor edits of the pod.',
    ours: 'Every field that shapes the pod rolls out like an image. An image swapped in the pod, and marks removed from it, are put right.',
  },
  {
    id: 5,
    about: 'Port change',
    original: 'The Service offers the new number, the pod keeps listening on the old one.',
    ours: 'A rollout; the Service offers the new number at once and each former one until no pod listens there any more.',
  },
  {
    id: 6,
    about: 'Pending pods',
    original: 'A pod that is Pending for more than 5 minutes is deleted and made anew, without end.',
    ours: 'It is left to start. The status says what it waits for, and `ProgressDeadlineExceeded` after `progressDeadlineSeconds`.',
  },
  {
    id: 7,
    about: 'Lost nodes',
    original: 'A pod that hangs in Terminating on a dead node is neither replaced nor reported.',
    ours: 'It is taken out of the Service and replaced by `nodeLossPolicy`; the condition `NodeLost` names pod and node. Nothing is deleted by force.',
  },
  {
    id: 8,
    about: 'Foreign pods',
    original: 'Whatever pod has the name is adopted, reported or deleted.',
    ours: 'Only what the Performer controls is touched. Else `NameConflict` names the object, and the Performer comes up once it is gone.',
  },
  {
    id: 9,
    about: 'Hardware',
    original: 'Asks for `nvidia.com/<gpuType>`, which no device plugin offers; TEE and custom labels have no effect.',
    ours: '`nvidia.com/gpu` and node labels by GPU model; TEE by node labels and RuntimeClass; custom labels are labels a node must have.',
  },
  {
    id: 10,
    about: 'Priority and environment',
    original: 'The priority class is dropped, the environment has no fixed order, duplicates and empty sources stay in.',
    ours: 'The priority class is set. `environment` by name, then `environmentFrom`, then `env`; of one name the later wins; an entry without a source is left out.',
  },
  {
    id: 11,
    about: 'Secrets in logs',
    original: 'Prints whole Performers and pod specs, environment values included.',
    ours: 'No environment value comes into a log line, an Event, a message or a snapshot.',
  },
  {
    id: 12,
    about: 'Long names',
    original: 'Names over 53 characters or with dots fail for ever, in log lines only.',
    ours: 'They are refused when they are made; one that an older CRD let in says so in its status.',
  },
  {
    id: 13,
    about: 'Label of the AVS',
    original: 'Addresses with odd characters or ends make a label the API server refuses, and with it the pod.',
    ours: 'Always a valid label; the same one where the original gives a valid one.',
  },
  {
    id: 14,
    about: 'Deletion',
    original: 'A finalizer that does nothing but block deletion while the operator is down.',
    ours: 'No finalizer is added; the old one is taken off when the object goes. Pods and Service go with it, or stay with `--cascade=orphan` and are adopted again.',
  },
  {
    id: 15,
    about: 'Conditions and Events',
    original: 'None, and no observedGeneration; a crash loop reads Running, a failed pull Pending.',
    ours: 'Conditions from one table of reasons, each with the next step, a Warning Event for each trouble a Performer comes to.',
  },
  {
    id: 16,
    about: 'Refused pods',
    original: 'Quota, Pod Security or a webhook refuse the pod: nothing in status.',
    ours: 'A reason for each kind of refusal with the words of the API server; others go on; it heals by itself.',
  },
  {
    id: 17,
    about: 'Service upkeep',
    original: 'Puts back the whole Service in each pass: a write each time, and what others set is lost.',
    ours: 'Only our fields are compared and put right; session affinity, node ports, policies, foreign ports stay. No write when settled.',
  },
  {
    id: 18,
    about: 'Writes and workers',
    original: 'A status write in each pass, sleeps in the one worker; some 15 writes for a new Performer.',
    ours: '3 writes for a new Performer, at most 5 for a rollout, 0 when settled; Performers are worked on side by side.',
  },
  {
    id: 19,
    about: 'Pod security',
    original: 'No security context, an API token in every pod; refused in `restricted` namespaces.',
    ours: 'No token unless an account is named; `security.profile` builds pods for a level of the Pod Security Standards.',
  },
  {
    id: 20,
    about: 'Probes',
    original: 'A start slower than a minute is killed, readiness is asked for every 15 s.',
    ours: 'A startup probe with 300 s of budget, readiness every second; all timings can be set, those of the original too. Still gRPC health alone: `ProbeFailing` says so.',
  },
  {
    id: 21,
    about: 'Cluster domain',
    original: '`cluster.local`, whatever the cluster has.',
    ours: '`--cluster-domain`.',
  },
  {
    id: 22,
    about: 'Flags and variables',
    original: 'Documented variables and flags that its chart passes are not known; readiness says nothing.',
    ours: 'All its flags and variables are taken, also as `/manager`; what has no effect is said at start. Health, readiness and metrics tell the truth.',
  },
  {
    id: 23,
    about: 'RBAC',
    original: 'No right to Leases and Events; leader election fails.',
    ours: 'The ClusterRole is generated from the one table of verbs, and the operator is run with nothing else.',
  },
];

/** A way in which operators that own bare pods fail. `node`: only real nodes show it, or they show more than is shown without. */
export interface FailureRow {
  /** `FM-<n>`. */
  readonly id: number;
  readonly failure: string;
  readonly node?: string;
}

export const failures: readonly FailureRow[] = [
  { id: 1, failure: 'A node is lost', node: 'the times of kubelet, node controller and taint' },
  { id: 2, failure: 'A pod hangs in Terminating' },
  { id: 3, failure: 'The out-of-service taint', node: 'the pod garbage collector takes the corpse' },
  { id: 4, failure: 'The Node object is deleted' },
  { id: 5, failure: 'A name is freed by force while the container runs', node: 'a zombie that still works' },
  { id: 6, failure: 'A cut-off node comes back', node: 'a kubelet behind a cut' },
  { id: 7, failure: 'Most nodes look gone' },
  { id: 8, failure: 'The API server is away for minutes' },
  { id: 9, failure: 'A write without an answer' },
  { id: 10, failure: 'A watch that is silently dead', node: 'packets dropped on the way' },
  { id: 11, failure: 'Missed and compacted events' },
  { id: 12, failure: 'An old view after a restart' },
  { id: 13, failure: 'Own writes not seen yet' },
  { id: 14, failure: 'A clock that jumps' },
  { id: 15, failure: 'Two leaders' },
  { id: 16, failure: 'Runs of `once` that overlap' },
  { id: 17, failure: 'A finalizer that nobody removes' },
  { id: 18, failure: 'A namespace that is going' },
  { id: 19, failure: 'Quota and LimitRange' },
  { id: 20, failure: 'Admission refuses' },
  { id: 21, failure: 'An image that cannot be pulled' },
  { id: 22, failure: 'A crash loop' },
  { id: 23, failure: 'Eviction, preemption, OOM', node: 'a kubelet under pressure' },
  { id: 24, failure: 'A foreign object under our name' },
  { id: 25, failure: 'Fields that cannot be changed in place' },
  { id: 26, failure: 'Users edit what we made' },
  { id: 27, failure: 'The CRD goes and comes back' },
  { id: 28, failure: 'An API that is not there' },
  { id: 29, failure: 'Throttling' },
  { id: 30, failure: 'Huge objects' },
  { id: 31, failure: 'Rights taken away while it runs' },
  { id: 32, failure: 'Endpoints that lag behind readiness', node: 'calls through kube-proxy under load' },
  { id: 33, failure: 'The operator is killed at any moment' },
];
