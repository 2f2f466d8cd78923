import { leaseName } from '../api/v1alpha1/naming.ts';
import { performers } from '../api/v1alpha1/performer.ts';
import {
  type EndpointSlice,
  endpointSlices,
  type KubeObject,
  keyOf,
  keyText,
  leases,
  namespaces,
  nodes as nodeKind,
  type ObjectKey,
  type Pod,
  pods,
  type Resource,
  services,
} from '../kube/objects.ts';
import { formatTime } from '../lib/time.ts';
import type { OracleBoard } from '../oracle/board.ts';
import type { Change as SeenChange, Violation, Write } from '../oracle/oracle.ts';
import { permissions } from '../reconcile/permissions.ts';
import { type Chance, createChances } from './chance.ts';
import { type Crd, ourCrd, performerRules } from './crds.ts';
import { type CircumstanceId, circumstancesOf } from './faults/circumstances.ts';
import { expired } from './faults/stream-faults.ts';
import { Front } from './front.ts';
import { kindIdOf } from './kind-rules.ts';
import type { MemoryServer, RemoveOptions } from './memory-server.ts';
import type { Change } from './memory-store.ts';
import { SimNodes } from './nodes/sim-nodes.ts';
import type { NodeTimings } from './nodes/timings.ts';
import type { SimProcess } from './process.ts';
import { describe, performerKeyOf, stateOf } from './remarks.ts';
import { type Call, type CallFate, type Mishap, SimApi } from './sim-api.ts';
import { startCluster } from './start-cluster.ts';
import { States } from './states.ts';
import { Trace, type TraceLine } from './trace.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly fronts: number;
  readonly timings: NodeTimings;
  readonly board: OracleBoard;
  /** Lines of the trace that stay readable. */
  readonly keeps: number;
}

export const leaseKey: ObjectKey = { namespace: 'hourglass-system', name: leaseName };

/** The kinds oracles are told of. */
const seen = new Map<string, SeenChange['kind']>([
  [kindIdOf(performers), 'performers'],
  [kindIdOf(pods), 'pods'],
  [kindIdOf(services), 'services'],
  [kindIdOf(endpointSlices as Resource<EndpointSlice>), 'endpointSlices'],
  [kindIdOf(nodeKind), 'nodes'],
]);

/** What an operator writes besides the objects of Performers: faults of its own are meant for it, and it is no effect. */
const besides: ReadonlySet<string> = new Set([leases.plural, 'events']);

/** Everything of a simulation but what is done to it: API servers, nodes, network, what is told to the oracles, and the trace. */
export class SimWorld {
  readonly clock = new VirtualClock();
  readonly chance: (purpose: string) => Chance;
  readonly server: MemoryServer;
  readonly nodes: SimNodes;
  readonly fronts: readonly Front[];
  readonly trace: Trace;
  readonly states = new States();
  readonly board: OracleBoard;
  /** Of violations that no oracle is needed for: a pass that threw, a process that ended by itself. */
  readonly found: Violation[] = [];
  /** Added to each way of a call. */
  slowMs: readonly [number, number] = [0, 0];
  /** Verbs nobody has at the moment, as `verb resource`. */
  readonly revoked = new Set<string>();
  /** Asked for each write of an operator, Leases left out. */
  onOperatorWrite: (call: Call, index: number) => Mishap = () => ({ kind: 'none' });
  /** Asked for each write of a Lease or an Event. */
  onBesideWrite: (call: Call, index: number) => Mishap = () => ({ kind: 'none' });
  /** Asked for each other call, and for those that nothing else happens to. */
  onOtherCall: (call: Call) => Mishap = () => ({ kind: 'none' });
  /** Told of each write that came through. */
  onEffect: (write: Write) => void = () => undefined;
  /** Told of each change of what oracles see. */
  onSeen: (change: SeenChange, order: number) => void = () => undefined;
  /** Told of what a pod is in, each time it changes. */
  onCircumstance: (id: CircumstanceId, of: string) => void = () => undefined;
  operatorWrites = 0;
  besideWrites = 0;
  effectiveWrites = 0;
  /** Changes of what oracles see, so far. */
  seenCount = 0;
  #crd = ourCrd;
  readonly #frontOf = new Map<SimProcess, number>();
  readonly #network: Chance;

  constructor(options: WorldOptions) {
    this.chance = createChances(options.seed);
    this.#network = this.chance('network');
    this.board = options.board;
    this.trace = new Trace(options.keeps);
    this.server = startCluster(this.clock, String(options.seed));
    this.server.register(performers as Resource<KubeObject>, performerRules(ourCrd));
    // Of a Lease the record of its last write by the server's clock is read too: the holder's own may be wrong.
    const leaseRules = this.server.rulesOf('serving', leases);
    this.server.register(leases, {
      ...leaseRules,
      withDefaults: (object, before) => {
        const full = leaseRules.withDefaults?.(object, before) ?? object;
        const managedFields = [{ manager: 'operator', operation: 'Update', time: formatTime(this.clock.nowMs()) }];
        return { ...full, metadata: { ...full.metadata, managedFields } };
      },
    });
    this.server.store.onChange((change) => this.#told(change));
    this.nodes = new SimNodes({ server: this.server, chance: this.chance, timings: options.timings, count: options.nodes });
    this.nodes.onInstances(() => this.board.instances(this.nodes.instances(), this.clock.nowMs()));
    this.createNamespace(leaseKey.namespace);
    const lag = this.chance('watch lag');
    this.fronts = Array.from({ length: options.fronts }, (_, index) => new Front(`api-${index}`, this.server, lag));
  }

  get crd(): Crd {
    return this.#crd;
  }

  /** Puts a CRD of Performers in the place of the other: their watch caches are begun anew, so watches cannot go on, and what is stored reads otherwise. */
  set crd(crd: Crd) {
    this.#crd = crd;
    this.server.store.forget(kindIdOf(performers));
    for (const front of this.fronts) front.disconnect(expired(), kindIdOf(performers));
    this.server.reread(performers as Resource<KubeObject>, performerRules(crd));
  }

  createNamespace(name: string): void {
    this.server.create(namespaces, { metadata: { name } });
  }

  /** The port as a process has it: for live reads and writes, and for filling caches. */
  apisOf(process: SimProcess): { readonly kube: SimApi; readonly cacheKube: SimApi } {
    this.#frontOf.set(process, this.#network.int(0, this.fronts.length - 1));
    const make = (cached: boolean): SimApi => new SimApi(process, this.server, this.#fate, cached);
    return { kube: make(false), cacheKube: make(true) };
  }

  /** The API server that the process talks to, or so many further on. */
  frontOf(process: SimProcess, further = 0): Front {
    return this.fronts[((this.#frontOf.get(process) ?? 0) + further) % this.fronts.length] as Front;
  }

  /** The process talks to the next API server from now on. */
  switchFront(process: SimProcess): void {
    this.#frontOf.set(process, ((this.#frontOf.get(process) ?? 0) + 1) % this.fronts.length);
  }

  note(lane: 'user' | 'fault' | 'operator', who: string, what: string, more: Pick<TraceLine, 'of' | 'forMs' | 'state'> = {}): void {
    this.trace.add({ atMs: this.clock.monotonicMs(), lane, who, what, ...more });
  }

  violation(oracle: string, key: string, message: string): void {
    this.found.push({ oracle, atMs: this.clock.nowMs(), key, message });
  }

  /** A write of somebody who is no operator: oracles must know whose doing a change is. */
  toldByUser(
    verb: Write['verb'],
    resource: Resource<KubeObject>,
    key: ObjectKey,
    before: KubeObject | undefined,
    after: KubeObject | undefined,
  ): void {
    const { plural } = resource;
    this.board.write({
      atMs: this.clock.nowMs(),
      actor: 'user',
      verb,
      plural,
      key,
      sent: {},
      preconditions: {},
      result: 'ok',
      before,
      after,
    });
  }

  /** Deletes as a user does. */
  removeByUser(resource: Resource<KubeObject>, key: ObjectKey, options: RemoveOptions = {}): void {
    const before = this.server.find(resource, key);
    if (before === undefined) return;
    this.server.remove(resource, before, options);
    this.toldByUser('delete', resource, key, before, this.server.find(resource, key));
  }

  /** Who the API server says may write; undefined: nobody has to hold anything. */
  leaseHolder(): string | undefined {
    const spec = this.server.find(leases, leaseKey)?.spec;
    return typeof spec?.holderIdentity === 'string' ? spec.holderIdentity : undefined;
  }

  readonly #fate: CallFate = {
    onCall: (call) => {
      const isWrite = call.verb === 'create' || call.verb === 'patch' || call.verb === 'delete';
      if (!isWrite) return this.onOtherCall(call);
      if (besides.has(call.resource.plural)) {
        this.besideWrites += 1;
        const mishap = this.onBesideWrite(call, this.besideWrites);
        return mishap.kind === 'none' ? this.onOtherCall(call) : mishap;
      }
      this.operatorWrites += 1;
      return this.onOperatorWrite(call, this.operatorWrites);
    },
    travel: ({ process }) => (process.isCut ? 'lost' : this.#network.int(1, 6) + this.#network.int(...this.slowMs)),
    front: (process) => this.frontOf(process),
    mayCall: ({ verb, resource, subresource }) => {
      const name = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
      return granted.has(`${verb} ${resource.group} ${name}`) && !this.revoked.has(`${verb} ${resource.plural}`);
    },
    onWrite: (write, process) => {
      if (besides.has(write.plural)) {
        this.board.write({ ...write, atMs: this.clock.nowMs() });
        return;
      }
      const holder = this.leaseHolder();
      const entitled = holder === undefined || holder === process.name;
      const told: Write = { ...write, atMs: this.clock.nowMs(), processSinceMs: process.bornMs, entitled };
      const { verb, plural, key, result } = told;
      this.trace.add({
        atMs: this.clock.monotonicMs(),
        lane: 'write',
        who: process.name,
        what: `${verb} ${plural} ${keyText(key)}: ${result}`,
        of: plural === performers.plural ? keyText(key) : performerKeyOf((told.after ?? told.before ?? told.sent) as KubeObject),
      });
      if (result === 'ok' && told.before !== told.after) this.effectiveWrites += 1;
      this.board.write(told);
      this.onEffect(told);
    },
  };

  #told(change: Change): void {
    const kind = seen.get(change.kindId);
    if (kind === undefined) return;
    const { before, after, object } = change;
    const key = keyOf(object);
    this.seenCount += 1;
    if (kind === 'pods' && after !== undefined)
      for (const id of circumstancesOf(after as Pod)) this.onCircumstance(id, after.metadata.uid ?? '');
    if (kind !== 'endpointSlices') {
      const lane = kind === 'performers' ? 'performer' : kind === 'pods' ? 'pod' : kind === 'services' ? 'service' : 'node';
      const of = kind === 'performers' ? keyText(key) : performerKeyOf(object);
      const what = before === undefined ? 'comes' : after === undefined ? 'goes' : describe(kind, before, after);
      const [who, state] = [keyText(key), stateOf(kind, after)];
      this.trace.add({ atMs: this.clock.monotonicMs(), lane, who, what: `${what} @${change.revision}`, ...state, of });
      this.states.take(of, `${lane} ${who}`, state.state);
    }
    const told = { atMs: this.clock.nowMs(), kind, key, before, after } as unknown as SeenChange;
    this.board.change(told);
    this.onSeen(told, this.seenCount);
  }
}

const granted = new Set(permissions.flatMap(({ group, resource, verbs }) => verbs.map((verb) => `${verb} ${group} ${resource}`)));
