import { KubeFault } from '../kube/faults.ts';
import { type KubeObject, keyOf, type Resource } from '../kube/objects.ts';
import type { CallOptions, KubeApi } from '../kube/port.ts';
import type { Clock } from '../lib/clock.ts';
import { Caller, type Request } from './caller.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { Connector } from './connect.ts';
import { decodeDeleted, decodeObject, isRecord } from './decode.ts';
import type { Doing } from './error-map.ts';
import { componentOf, createEventWriter } from './event-object.ts';
import { createTransport } from './h2-transport.ts';
import { listAll } from './list.ts';
import { describeTarget, requestPath } from './request-path.ts';
import { ServerClock } from './server-clock.ts';
import { watchEvents } from './watch.ts';

export interface KubeClientOptions {
  readonly clock: Clock;
  /** `name/version`, for audit logs and API priority; the name is also the component of Events. */
  readonly userAgent: string;
  /** Which process this is, in Events; default: the name. */
  readonly instance?: string;
  /** Told each warning of the API server (deprecations, admission) once. */
  readonly warn?: (message: string) => void;
  /** Told of each request that is about to be sent again, and after which wait: for metrics, and for whoever limits the load. */
  readonly onRetry?: (fault: KubeFault, waitMs: number) => void;
  /** Told of each answer: its HTTP status, or `<error>` where none came. */
  readonly onAnswer?: (method: string, code: string) => void;
  /** From [0, 1), for jitter; default `Math.random`. */
  readonly random?: () => number;
  /** The largest answers that are read: a page of a list, and any other answer or watch event. */
  readonly limits?: { readonly listBytes?: number; readonly objectBytes?: number };
}

export interface KubeClient extends KubeApi {
  /** Ends all calls and watches under way (`aborted`) and all connections; nothing of the client keeps the process alive then. */
  close(): void;
}

const defaultListBytes = 512 * 1024 * 1024;
const defaultObjectBytes = 32 * 1024 * 1024;

/**
 * The `KubeApi` of a real cluster, which `loadClusterConfig` finds, or `configOfKubeConfig` in a `KubeConfig` of client-node. Connects on first use.
 * Within a call's deadline it sends again what is safe to send again: reads at any passing trouble, writes only where the API server surely did nothing
 * (no connection, refused, 429).
 */
export function createKubeApi(config: ClusterConfig, options: KubeClientOptions): KubeClient {
  const { clock, userAgent, warn = () => {}, onRetry = () => {}, onAnswer = () => {}, random = Math.random, limits = {} } = options;
  const { listBytes = defaultListBytes, objectBytes = defaultObjectBytes } = limits;
  const serverClock = new ServerClock(clock);
  const connector = new Connector(config, clock);
  const transport = createTransport(config.server, connector, clock);
  const caller = new Caller({ config, transport, connector, clock, serverClock, userAgent, warn, onRetry, onAnswer, random });

  const call = (doing: Doing, request: Request, callOptions: CallOptions): Promise<unknown> =>
    caller.run(doing, callOptions, (scope) => caller.exchange(scope, request, objectBytes));
  const callFor = <T extends KubeObject>(resource: Resource<T>, doing: Doing, request: Request, callOptions: CallOptions): Promise<T> =>
    caller.run(doing, callOptions, async (scope) => decodeObject(resource, await caller.exchange(scope, request, objectBytes)));

  return {
    list: (resource, listOptions = {}) => listAll(caller, resource, listOptions, listBytes),

    get: (resource, key, callOptions = {}) => {
      const doing = { text: `getting ${describeTarget(resource, key)}`, write: false };
      return callFor(resource, doing, { method: 'GET', path: requestPath(resource, key) }, callOptions);
    },

    watch: (resource, watchOptions) => watchEvents(caller, resource, watchOptions, objectBytes),

    create: (resource, object, callOptions = {}) => {
      const key = keyOf(object);
      const doing = { text: `creating ${describeTarget(resource, key)}`, write: true };
      const path = requestPath(resource, { namespace: key.namespace });
      return callFor(resource, doing, { method: 'POST', path, body: decodeObject(resource, { ...object }) }, callOptions);
    },

    patch: async (resource, key, patch, { subresource, resourceVersion, ...callOptions }) => {
      const part = subresource === undefined ? '' : `${subresource} of `;
      const doing = { text: `patching ${part}${describeTarget(resource, key)}`, write: true };
      if (!isRecord(patch)) throw new KubeFault('invalid', `${doing.text}: a merge patch of an object must be an object`);
      const metadata = isRecord(patch.metadata) ? patch.metadata : {};
      const request: Request = {
        method: 'PATCH',
        path: requestPath(resource, { ...key, ...(subresource === undefined ? {} : { subresource }) }),
        body: { ...patch, metadata: { ...metadata, resourceVersion } },
        contentType: 'application/merge-patch+json',
      };
      return callFor(resource, doing, request, callOptions);
    },

    delete: async (resource, key, deleteOptions) => {
      const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy } = deleteOptions;
      const doing = { text: `deleting ${describeTarget(resource, key)}`, write: true };
      const preconditions = { uid, resourceVersion };
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, gracePeriodSeconds, propagationPolicy };
      return decodeDeleted(resource, await call(doing, { method: 'DELETE', path: requestPath(resource, key), body }, deleteOptions));
    },

    event: createEventWriter({
      call,
      component: componentOf(userAgent),
      instance: options.instance ?? componentOf(userAgent),
      nowMs: () => serverClock.nowMs(),
      warn,
    }),

    serverNowMs: () => serverClock.nowMs(),

    close: () => caller.close(),
  };
}
