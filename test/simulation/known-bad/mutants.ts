import type { FaultStep } from '../../../src/sim/faults/faults.ts';
import type { Mode } from '../../../src/sim/run-plan.ts';

/** One small change of the real code that makes a bad operator of it. */
export interface KnownBad {
  readonly name: string;
  /** What is wrong with it. */
  readonly about: string;
  /** Ids of oracles, each of which says so in that run; others may, too. */
  readonly by: readonly string[];
  /** Below `src`. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The run that catches it: tried before any other. */
  readonly caughtBy: Catch;
}

/** A scenario of the simulator or of `workloads.ts`, or a plan as `corpus/NAME`, with one more fault or without. */
export interface Catch {
  readonly scenario: string;
  readonly mode?: Mode;
  readonly fault?: FaultStep;
}

/** Classic defects of operators, those of peers among them, put into ours. */
export const mutants: readonly KnownBad[] = [
  {
    name: 'adopts-anything',
    about: 'Whatever pod holds one of our names or labels becomes ours, marked or not.',
    by: ['S2'],
    file: 'reconcile/plan/ownership.ts',
    find: 'const marked = marks[labels.app] === appLabelValue && (marks[labels.performer] === name || marks[labels.instance] === name);',
    replace: 'const marked = true;',
    caughtBy: { scenario: 'create', fault: { id: 'name-taken', atWrite: 1 } },
  },
  {
    name: 'deletes-who-holds-the-name',
    about: 'A pod of somebody else that has the name we want is deleted, as the original does.',
    by: ['S2'],
    file: 'reconcile/apply.ts',
    find: 'if (object !== undefined) store.wrote(await deps.kube.create(resource, object, { signal }));',
    replace: `if (object !== undefined)
      store.wrote(
        await deps.kube.create(resource, object, { signal }).catch(async (error: unknown) => {
          if (action.resource !== 'Pod' || !isKubeFault(error, 'alreadyExists')) throw error;
          const { uid = '', resourceVersion = '' } = (await deps.kube.get(resource, keyOf(object), { signal })).metadata ?? {};
          await deps.kube.delete(resource, keyOf(object), { uid, resourceVersion, signal });
          throw error;
        }),
      );`,
    caughtBy: { scenario: 'create', fault: { id: 'name-taken', atWrite: 1 } },
  },
  {
    name: 'adopts-any-service',
    about: 'A Service of our name that nobody controls is taken over and rewritten, as the original does.',
    by: ['S2'],
    file: 'reconcile/plan/ownership.ts',
    find: 'return controllerOf(service) === undefined && (marked || sameJson(service.spec?.selector, performerSelector(performerName)));',
    replace: 'return controllerOf(service) === undefined;',
    caughtBy: { scenario: 'create', fault: { id: 'name-taken', atWrite: 2 } },
  },
  {
    name: 'observed-before-done',
    about: 'observedGeneration is that of the moment of the write, not of the spec that was acted on.',
    by: ['S5'],
    file: 'reconcile/apply.ts',
    find: 'const answer = await deps.kube.patch(resource, target, action.patch, { ...subresource, resourceVersion, signal });',
    replace: `const answer = await deps.kube
      .patch(resource, target, action.patch, { ...subresource, resourceVersion, signal })
      .catch(async (error: unknown) => {
        if (action.resource !== 'PerformerStatus' || !isKubeFault(error, 'conflict')) throw error;
        const now = (await deps.kube.get(resource, target, { signal })).metadata ?? {};
        const said = JSON.stringify(action.patch).replaceAll(/"observedGeneration":\\d+/g, \`"observedGeneration":\${now.generation}\`);
        await deps.kube.patch(resource, target, JSON.parse(said), { ...subresource, resourceVersion: now.resourceVersion ?? '', signal });
        throw error;
      });`,
    caughtBy: { scenario: 'ready-of-the-former' },
  },
  {
    name: 'status-conflict-ignored',
    about: 'A status that meets a newer Performer is given up, and what it was to prove is done all the same.',
    by: ['S6'],
    file: 'reconcile/apply.ts',
    find: '      const applied = judgeFault(',
    replace: `      if (action.resource === 'PerformerStatus' && error.code === 'conflict') continue;
      const applied = judgeFault(`,
    caughtBy: { scenario: 'back-unseen' },
  },
  {
    name: 'name-of-a-corpse',
    about: 'A pod that terminates is not counted when the next name is chosen.',
    by: ['S5', 'N4'],
    file: 'reconcile/plan/rollout.ts',
    find: 'return Math.max(-1, facts.lastIndex ?? -1, ...facts.pods.map((pod) => pod.index)) + 1;',
    replace: "return Math.max(-1, ...facts.pods.filter((pod) => pod.word !== 'leaving' || pod.ended).map((pod) => pod.index)) + 1;",
    caughtBy: { scenario: 'corpse' },
  },
  {
    name: 'exists-is-success',
    about: '"Already exists" counts as created, whoever made it.',
    by: ['L1', 'L4'],
    file: 'reconcile/apply.ts',
    find: `      if (action.kind === 'create' && action.resource === 'Pod') holdName(deps.world, key, keyOf(action.object).name);
      return { kind: 'stale' };`,
    replace: '      return undefined;',
    caughtBy: { scenario: 'name-held' },
  },
  {
    name: 'created-again-under-another-name',
    about: 'A create without an answer is done again at once, under another name.',
    by: ['S1'],
    file: 'reconcile/apply.ts',
    find: 'if (object !== undefined) store.wrote(await deps.kube.create(resource, object, { signal }));',
    replace: `if (object !== undefined)
      store.wrote(
        await deps.kube.create(resource, object, { signal }).catch((error: unknown) => {
          if (action.resource !== 'Pod' || !isKubeFault(error, 'unknownOutcome')) throw error;
          const other = { ...object, metadata: { ...object.metadata, name: \`\${keyOf(object).name}-0000-99\` } };
          return deps.kube.create(resource, other, { signal });
        }),
      );`,
    caughtBy: { scenario: 'create', fault: { id: 'timeout-applied', atWrite: 1 } },
  },
  {
    name: 'deletion-unseen',
    about: 'The store passes over events that tell of a deleted Service.',
    by: ['L1'],
    file: 'kube/store.ts',
    find: "if (event.type === 'DELETED') this.#gone(event.object, changes);",
    replace:
      "if (event.type === 'DELETED') 'ports' in ((event.object as { spec?: object }).spec ?? {}) || this.#gone(event.object, changes);",
    caughtBy: { scenario: 'create', fault: { id: 'service-deleted', atMs: 20_000, draw: 0 } },
  },
  {
    name: 'relist-forgets-nothing',
    about: 'What a new list lacks stays in the store.',
    by: ['S5', 'L1'],
    file: 'kube/store.ts',
    find: 'if (!present.has(text) && !wroteSince) this.#remove(text, object, changes);',
    replace: '',
    caughtBy: { scenario: 'deletion-missed' },
  },
  {
    name: 'reflector-ends',
    about: 'When only a new list could help, the reflector ends.',
    by: ['S5', 'L1'],
    file: 'kube/reflector.ts',
    find: 'if (filled !== undefined) await follow(filled.stream ?? resume());',
    replace: 'if (filled !== undefined) return void (await follow(filled.stream ?? resume()));',
    caughtBy: { scenario: 'image', fault: { id: 'watch-410', atMs: 15_000, draw: 0 } },
  },
  {
    name: 'ready-when-started',
    about: 'A pod is called ready once its container has started.',
    by: ['S5', 'R1', 'L1'],
    file: 'reconcile/plan/pod-view.ts',
    find: "const isReady = status?.phase === 'Running' && ready?.status === 'True';",
    replace:
      "const isReady = status?.phase === 'Running' && (ready?.status === 'True' || (status.containerStatuses ?? []).some((one) => one.state?.running !== undefined && one.ready !== true && (Date.parse(one.state.running.startedAt ?? '') || context.nowMs) + 5_000 < context.nowMs));",
    caughtBy: { scenario: 'never-ready' },
  },
  {
    name: 'legacy-finalizer-stays',
    about: 'The finalizer that the original left on a Performer is not taken off.',
    by: ['L3'],
    file: 'reconcile/plan/deletion.ts',
    find: 'if (finalizers.includes(legacyFinalizer)) {',
    replace: "if (finalizers.includes('none')) {",
    caughtBy: { scenario: 'legacy-finalizer' },
  },
  {
    name: 'no-back-off',
    about: 'What was refused is asked for again after the same short while, for ever.',
    by: ['S7r'],
    file: 'controller/pace.ts',
    find: "const delayMs = backoffMs(failures, this.#random(), outcome.retry === 'never' ? 5_000 : 50);",
    replace: 'const delayMs = backoffMs(1, this.#random(), 200);',
    caughtBy: { scenario: 'create', fault: { id: 'rights-revoked', atMs: 500, forMs: 120_000, draw: 0 } },
  },
  {
    name: 'lease-by-wall-clock',
    about: 'A Lease is free when its renewTime is old by our own wall clock.',
    by: ['E1'],
    file: 'kube/lease.ts',
    find: "if (holder === '' || holder === identity) return 0;",
    replace: "if (holder === '' || holder === identity || (parseTime(spec.renewTime) ?? 0) + durationMs < clock.nowMs()) return 0;",
    caughtBy: { scenario: 'two-operators', fault: { id: 'clock-jump-ahead', atMs: 10_000, draw: 0.9 } },
  },
  {
    name: 'writes-without-the-lease',
    about: 'Whoever led once goes on writing until somebody tells it that the Lease is lost.',
    by: ['E2'],
    file: 'controller/election.ts',
    find: "(this.#role === 'leader' && this.#options.lease.isHeld())",
    replace: "this.#role === 'leader'",
    caughtBy: { scenario: 'two-operators', fault: { id: 'operator-frozen', atMs: 1_012, forMs: 20_000, draw: 0 } },
  },
  {
    name: 'standby-reconciles',
    about: 'A replica that is not given the Lease works as one does where no Lease can be had.',
    by: ['E2'],
    file: 'controller/election.ts',
    find: "} else if (claim !== undefined && 'unavailable' in claim) {",
    replace: "} else if (claim !== undefined && ('unavailable' in claim || claim.holder !== '')) {",
    caughtBy: { scenario: 'two-operators' },
  },
  {
    name: 'lost-pod-deleted-at-once',
    about: 'A pod on a lost node is deleted without having been taken out of the Service and drained.',
    by: ['R2'],
    file: 'reconcile/plan/rollout.ts',
    find: "if (pod.word === 'lost' && !isHeld(pod, rules)) goes(pod, 'NodeLost');",
    replace: "if (pod.word === 'lost' && !isHeld(pod, rules)) steps.set(pod, { kind: 'delete', pod, why: 'NodeLost' });",
    caughtBy: { scenario: 'lost-node' },
  },
  {
    name: 'lost-pod-kept',
    about: 'A pod on a lost node keeps its place for as long as its object is there, as with the original.',
    by: ['N4'],
    file: 'reconcile/plan/rollout.ts',
    find: "if (pod.word === 'lost' && !isHeld(pod, rules)) goes(pod, 'NodeLost');",
    replace: '',
    caughtBy: { scenario: 'lost-node' },
  },
  {
    name: 'status-never-the-same',
    about: 'The message about a spec that cannot be carried out tells the time: each pass writes a status.',
    by: ['L4'],
    file: 'reconcile/plan/plan.ts',
    find: "    reason: 'InvalidSpec',\n    message,",
    replace: "    reason: 'InvalidSpec',\n    message: message + ' at ' + snapshot.nowMs,",
    caughtBy: { scenario: 'invalid' },
  },
  {
    name: 'variables-no-drift',
    about: 'A changed variable does not count as another revision.',
    by: ['S5', 'L1'],
    file: 'reconcile/plan/revision.ts',
    find: '    environment: unlessEmpty(config?.environment),\n',
    replace: '',
    caughtBy: { scenario: 'environment' },
  },
  {
    name: 'ready-kept',
    about: 'Ready, once said of a spec, is taken back only when the spec changes.',
    by: ['S5'],
    file: 'reconcile/plan/status.ts',
    find: '  if (patch === undefined) return { action: undefined',
    replace: `  const isSaid = findCondition(stored.conditions, 'Ready')?.status === 'True' && stored.observedGeneration === performer.generation;
  if (patch === undefined || (isSaid && facts.reason !== 'Serving')) return { action: undefined`,
    caughtBy: { scenario: 'create', fault: { id: 'pod-unready', atMs: 15_000, forMs: 120_000, draw: 0 } },
  },
  {
    name: 'phase-of-the-pod',
    about: 'The phase is the pod’s own word where its node is lost: one that the CRD does not have.',
    by: ['S5f'],
    file: 'reconcile/plan/status.ts',
    find: "  if (reason === 'Terminating') return 'Terminating';",
    replace: "  if (reason === 'Terminating') return 'Terminating';\n  if (reason === 'NodeLost') return 'Unknown' as PerformerPhase;",
    caughtBy: { scenario: 'lost-node-strict' },
  },
  {
    name: 'pending-pods-deleted',
    about: 'A pod that is not ready after a minute is deleted and made again, for ever, as with the original.',
    by: ['S6'],
    file: 'reconcile/plan/rollout.ts',
    find: "if (pod.word === 'out') planWayOut(pod, rules, nowMs, steps);",
    replace:
      "if (pod.word === 'out') planWayOut(pod, rules, nowMs, steps);\n    if (pod.word === 'starting' && nowMs > pod.createdAtMs + 60_000) goes(pod, 'NeverReady');",
    caughtBy: { scenario: 'unpullable' },
  },
  {
    name: 'pods-unproven',
    about: 'Pods are taken away on what the cache says of the others.',
    by: ['R1', 'S6'],
    file: 'reconcile/reconcile.ts',
    find: "if (plan.proof === 'performer-and-pods' || follows) {",
    replace: 'if (follows) {',
    caughtBy: { scenario: 'scaled-while-pods-unseen' },
  },
  {
    name: 'performer-unproven',
    about: 'Pods are taken away on what the cache says of the Performer.',
    by: ['S6'],
    file: 'reconcile/reconcile.ts',
    find: '  const live = await findObject(kube, performers, snapshot.key, { signal });\n',
    replace: '  if (plan.actions.length > 0) return true;\n  const live = await findObject(kube, performers, snapshot.key, { signal });\n',
    caughtBy: { scenario: 'new-one-unseen' },
  },
  {
    name: 'gone-unproven',
    about: 'The children of a Performer that the cache does not show are deleted.',
    by: ['S6'],
    file: 'reconcile/plan/deletion.ts',
    find: "return { verdict, actions, events: [], proof: actions.length === 0 ? 'none' : 'performer', unsaid: false };\n}\n\n/** What a former",
    replace: "return { verdict, actions, events: [], proof: 'none', unsaid: false };\n}\n\n/** What a former",
    caughtBy: { scenario: 'new-one-unseen' },
  },
  {
    name: 'strict-is-route',
    about: 'nodeLossPolicy is not looked at.',
    by: ['S6'],
    file: 'reconcile/plan/rules.ts',
    find: "=== 'Strict',",
    replace: '=== undefined,',
    caughtBy: { scenario: 'lost-node-strict' },
  },
  {
    name: 'strict-forgets-the-deleted',
    about: 'Under Strict a pod that somebody deleted on a node out of sight does not hold its place.',
    by: ['N1'],
    file: 'reconcile/plan/standing.ts',
    find: "return pod.word === 'leaving' && pod.node.name !== undefined",
    replace: 'return pod.ended && pod.node.name !== undefined',
    caughtBy: { scenario: 'strict-deleted' },
  },
  {
    name: 'no-doubt',
    about: 'Pods count as lost though most nodes look lost.',
    by: ['S6', 'N3'],
    file: 'reconcile/plan/node-state.ts',
    find: 'const mostNodes = 0.55;',
    replace: 'const mostNodes = 2;',
    caughtBy: { scenario: 'most-nodes-cut' },
  },
  {
    name: 'unknown-is-routed',
    about: 'Where EndpointSlices may not be read, a ready pod counts as reached at once.',
    by: ['R1'],
    file: 'reconcile/plan/standing.ts',
    find: 'return pod.routed ?? nowMs >= routedAtMs(pod);',
    replace: 'return pod.routed ?? true;',
    caughtBy: { scenario: 'slices-forbidden' },
  },
  {
    name: 'secrets-told',
    about: 'The message about a crash quotes the container with its variables.',
    by: ['S8'],
    file: 'reconcile/plan/plan.ts',
    find: 'return { reason: rollout.reason, message: rollout.message };',
    replace: `const { reason, message } = rollout;
  return { reason, message: reason === 'CrashLooping' ? \`\${message}: \${JSON.stringify(snapshot.performer?.parsed)}\` : message };`,
    caughtBy: { scenario: 'secret' },
  },
  {
    name: 'service-drift-unseen',
    about: 'A Service is looked at only for its ports.',
    by: ['L1'],
    file: 'reconcile/plan/service.ts',
    find: 'if (!sameJson(observedSelector, selector)) {',
    replace: 'if (observed.spec === undefined) {',
    caughtBy: { scenario: 'service-edited' },
  },
  {
    name: 'selector-narrowed-in-a-rollout',
    about: 'While a pod of the newest spec crashes, the Service selects that revision alone: the pods that serve get no calls.',
    by: ['R4'],
    file: 'reconcile/plan/service.ts',
    find: '  const selector = performerSelector(key.name);\n  const observedSelector',
    replace: `  const newest = pods.find((pod) => pod.trouble?.reason === 'CrashLooping');
  const selector = { ...performerSelector(key.name), ...(newest === undefined ? {} : { 'hourglass.eigenlayer.io/revision': newest.revision }) };
  const observedSelector`,
    caughtBy: { scenario: 'crashing-next' },
  },
  {
    name: 'stripped-by-its-image',
    about:
      'A pod of ours whose revision label was taken off counts as of the present revision by its image alone: a changed variable never reaches it.',
    by: ['L1'],
    file: 'reconcile/plan/pod-view.ts',
    find: 'const mayBeCurrent = index === undefined ? isOfNow : context.allCurrent;',
    replace: 'const mayBeCurrent = true;',
    caughtBy: { scenario: 'stripped' },
  },
  {
    name: 'merge-patch-keeps-strangers',
    about: 'The selector is put right by a merge patch that removes nothing.',
    by: ['L5'],
    file: 'reconcile/plan/service.ts',
    find: 'patch.selector = { ...Object.fromEntries(strangers.map((label) => [label, null])), ...selector };',
    replace: 'patch.selector = { ...selector };',
    caughtBy: { scenario: 'service-edited' },
  },
  {
    name: 'service-made-once',
    about: 'A Service is made with the first pod and never again.',
    by: ['L1'],
    file: 'reconcile/plan/plan.ts',
    find: "if (service === undefined) return [{ kind: 'create'",
    replace: "if (service === undefined) return ours.length > 0 ? [] : [{ kind: 'create'",
    caughtBy: { scenario: 'create', fault: { id: 'service-deleted', atMs: 20_000, draw: 0 } },
  },
  {
    name: 'failed-pods-at-once',
    about: 'A pod that comes to nothing is replaced at once, and so is the next one.',
    by: ['S7', 'L1', 'L4'],
    file: 'reconcile/plan/pod-view.ts',
    find: 'const replaceAtMs = createdAtMs + Math.min(replaceCapMs, replaceAfterMs * 2 ** Math.min(failures, 10)) + secondMs;',
    replace: 'const replaceAtMs = createdAtMs;',
    caughtBy: { scenario: 'rejected' },
  },
  {
    name: 'failed-pods-stay',
    about: 'A pod that ended keeps its place for ever: it says so, and no other one is made.',
    by: ['L1'],
    file: 'reconcile/plan/rollout.ts',
    find: 'pod.ended && pod.revision === facts.revision && facts.nowMs < pod.replaceAtMs)',
    replace: 'pod.ended && pod.revision === facts.revision)',
    caughtBy: { scenario: 'create', fault: { id: 'pod-evicted', atMs: 20_000, draw: 0 } },
  },
  {
    name: 'secrets-told-in-an-event',
    about: 'The Event about a crash quotes the container with its variables; the status does not.',
    by: ['S8'],
    file: 'reconcile/plan/plan.ts',
    find: '    events: status.events,',
    replace: `    events: status.events.map((event) =>
      event.reason === 'CrashLooping' ? { ...event, message: event.message + JSON.stringify(snapshot.performer?.parsed) } : event,
    ),`,
    caughtBy: { scenario: 'secret' },
  },
  {
    name: 'secrets-told-in-a-log',
    about: 'What is logged of a write is all of it, variables included.',
    by: ['S8'],
    file: 'reconcile/apply.ts',
    find: 'action: describeAction(action) });',
    replace: 'action });',
    caughtBy: { scenario: 'secret' },
  },
  {
    name: 'recreate-beside-one-that-goes',
    about: 'Under Recreate a pod that is being deleted counts as stopped as soon as it is not ready.',
    by: ['N2'],
    file: 'reconcile/plan/rollout.ts',
    find: 'const running = pods.filter((pod) => !pod.ended && !isGone(pod, rules)).length;',
    replace: `const stopped = (pod: PodView): boolean => pod.word === 'leaving' && pod.readySinceMs === undefined;
    const running = pods.filter((pod) => !pod.ended && !isGone(pod, rules) && !stopped(pod)).length;`,
    caughtBy: { scenario: 'recreate', fault: { id: 'pod-unready', atMs: 18_000, forMs: 30_000, draw: 0 } },
  },
  {
    name: 'deleted-again-by-uid',
    about: 'A deletion of a drained pod that meets a newer version of it is done again by its uid alone.',
    by: ['W1'],
    file: 'reconcile/apply.ts',
    find: 'await remove(resource, store, target, action.target, deps, signal);',
    replace: `await remove(resource, store, target, action.target, deps, signal).catch((error: unknown) => {
      if (action.why !== 'Drained' || !isKubeFault(error, 'conflict')) throw error;
      return deps.kube.delete(resource, target, { uid: action.target.uid, signal } as never);
    });`,
    caughtBy: { scenario: 'image', fault: { id: 'conflict-moved', atWrite: 7 } },
  },
  {
    name: 'deleted-again-by-name',
    about: 'A deletion without an answer is done again by name alone, whatever has the name by then.',
    by: ['W1'],
    file: 'reconcile/apply.ts',
    find: 'const left = await deps.kube.delete(resource, key, { uid: target.uid, resourceVersion: target.resourceVersion, signal });',
    replace: `const guards = { uid: target.uid, resourceVersion: target.resourceVersion };
    const left = await deps.kube.delete(resource, key, { ...guards, signal }).catch((error: unknown) => {
      if (!isKubeFault(error, 'unknownOutcome')) throw error;
      return deps.kube.delete(resource, key, { signal } as never);
    });`,
    caughtBy: { scenario: 'image', fault: { id: 'timeout-lost', atWrite: 7 } },
  },
  {
    name: 'foreign-ports-dropped',
    about: 'The port list of a Service is written without the ports that others put there.',
    by: ['W2'],
    file: 'reconcile/plan/service.ts',
    find: 'return [...kept, ...foreign];',
    replace: 'return foreign.length === 0 ? foreign.concat(kept) : kept;',
    caughtBy: { scenario: 'create', fault: { id: 'service-edited', atMs: 15_000, draw: 0.0000015 } },
  },
  {
    name: 'label-put-back',
    about: 'A pod that drains for long gets back the label by which the Service finds it.',
    by: ['R3', 'L1'],
    file: 'reconcile/plan/ownership.ts',
    find: 'const wanted: Record<string, string> = { [labels.app]: appLabelValue, [labels.instance]: key.name };',
    replace: `const isLate = view.word === 'out' && context.nowMs > (view.withdrawnAtMs ?? context.nowMs) + 8_000;
  const found = isLate ? { [labels.performer]: key.name } : {};
  const wanted: Record<string, string> = { [labels.app]: appLabelValue, [labels.instance]: key.name, ...found };`,
    caughtBy: { scenario: 'long-drain' },
  },
  {
    name: 'held-is-served-on',
    about: 'A Performer that was deleted is carried out as long as somebody else’s finalizer holds it.',
    by: ['S4', 'S3'],
    file: 'reconcile/plan/plan.ts',
    find: 'if (performer.deleting) return planDeletion(',
    replace: "if (performer.deleting && !performer.finalizers.some((name) => name.startsWith('example.com/'))) return planDeletion(",
    caughtBy: { scenario: 'held' },
  },
  {
    name: 'handed-over-when-it-serves',
    about: 'A Performer is left to another controller only once it serves.',
    by: ['S6m'],
    file: 'reconcile/plan/plan.ts',
    find: 'if (isManagedElsewhere(performer)) {',
    replace: 'if (isManagedElsewhere(performer) && performer.status?.ready === true) {',
    caughtBy: { scenario: 'handed-over' },
  },
  {
    name: 'stalled-ends-the-round',
    about: 'A round over all Performers ends at the first one that is stalled.',
    by: ['L2', 'L1'],
    file: 'reconcile/world.ts',
    find: 'for (const performer of world.performers.list()) keys.set(keyText(keyOf(performer)), keyOf(performer));',
    replace: `for (const performer of world.performers.list()) {
    keys.set(keyText(keyOf(performer)), keyOf(performer));
    if (performer.status?.conditions?.some(({ type }) => type === 'Stalled') === true) break;
  }`,
    caughtBy: { scenario: 'beside-a-stalled', mode: 'once' },
  },
  {
    name: 'no-truce',
    about: 'A status that another writer keeps putting back is put right each time.',
    by: ['S7w'],
    file: 'reconcile/observe.ts',
    find: '...(statusTruce === undefined ? {} : { statusDisputed: statusTruce }),',
    replace: '...(statusTruce === undefined || performer !== undefined ? {} : { statusDisputed: statusTruce }),',
    caughtBy: { scenario: 'two-leaders', fault: { id: 'write-forbidden', atWrite: 7 } },
  },
  {
    name: 'live-read-buries',
    about: 'What a live read does not find is taken for gone, also what an event brought while the answer was on its way.',
    by: ['L1'],
    file: 'reconcile/observe.ts',
    find: 'else if (uid !== undefined) store.deleted(key, uid);',
    replace: "else store.deleted(key, store.get(key)?.metadata?.uid ?? uid ?? '');",
    caughtBy: { scenario: 'corpus/came-during-a-look' },
  },
  {
    name: 'service-unproven',
    about: 'A Service is made again without a look at whether its Performer is still there.',
    by: ['S7r'],
    file: 'reconcile/reconcile.ts',
    find: "action.resource !== 'Service' || performer === undefined) return false;",
    replace: "action.resource !== 'Service' || performer !== undefined) return false;",
    caughtBy: { scenario: 'corpus/services-for-the-gone' },
  },
  {
    name: 'ready-from-the-next-second-on',
    about:
      'A pod that is Ready since a second that our server time has not come to yet is told of as one that starts, and again a second later.',
    by: ['S5f'],
    file: 'reconcile/plan/pod-view.ts',
    find: 'return minReadyMs === 0 ? Math.min(readySinceMs, nowMs) :',
    replace: 'return minReadyMs === 0 ? readySinceMs :',
    caughtBy: { scenario: 'ready-in-the-next-second' },
  },
  {
    name: 'rival-becomes-ours',
    about: 'A pod that the Go original made anew beside ours becomes ours once the one that showed it to be another operator’s is gone.',
    by: ['S2'],
    file: 'reconcile/plan/ownership.ts',
    find: '>= oldest || (isFilled && hasImageOf(pod, context) && !viewOf(pod).ended));',
    replace: '>= oldest || (isFilled && viewOf(pod).ended));',
    caughtBy: { scenario: 'made-anew-by-the-original' },
  },
  {
    name: 'pruned-sent-again',
    about: 'What the CRD at hand does not keep of a status is sent with each pass.',
    by: ['L5', 'S5f'],
    file: 'reconcile/observe.ts',
    find: '...(unkept === undefined ? {} : { statusUnkept: unkept }),',
    replace: '...(unkept === undefined || performer !== undefined ? {} : { statusUnkept: unkept }),',
    caughtBy: { scenario: 'corpus/crd-of-before' },
  },
  {
    name: 'pruned-told-by-a-view',
    about: 'A view in which a field stands that answers lacked is taken for another CRD, however old it is.',
    by: ['L5'],
    file: 'reconcile/observe.ts',
    find: '  const unkept = deps.writers.findUnkept(kube.serverNowMs());',
    replace: `  const told = deps.writers.findUnkept(kube.serverNowMs());
  const unkept = told?.fields.some((field) => field in (performer?.status ?? {})) ? deps.writers.answered({}, found ?? {}, 0) : told;`,
    caughtBy: { scenario: 'corpus/unkept-shown-by-an-old-view' },
  },
  {
    name: 'list-of-known-versions-is-no-news',
    about: 'What a list shows of a version that is known is passed over, though another CRD shows it otherwise.',
    by: ['L1'],
    file: 'kube/store.ts',
    find: 'this.#isNews(raw) || this.#readsOtherwise(raw)',
    replace: 'this.#isNews(raw) || (historyReset && this.#readsOtherwise(raw))',
    caughtBy: { scenario: 'corpus/crd-put-right' },
  },
];
