import { KubeFault } from '../kube/faults.ts';
import { type KubeObject, keyOf, type ObjectKey, type Resource } from '../kube/objects.ts';
import type { KubeApi, PatchOptions } from '../kube/port.ts';
import type { Clock } from '../lib/clock.ts';
import { Caller, type OnAnswer, type Request } from './caller.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { Connector } from './connect.ts';
import { createTransport } from './create-transport.ts';
import { decodeDeleted, decodeObject, isRecord } from './decode.ts';
import type { Doing } from './error-map.ts';
import { componentOf, createEventWriter } from './event-object.ts';
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
  readonly onAnswer?: OnAnswer;
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
 * The `KubeApi` of a real cluster. Connects on first use. Within a call's deadline it sends again what is safe to send again: reads at any passing trouble,
 * writes only where the API server surely did nothing (no connection, refused, 429). `createKubeApiFromKubeConfig` makes one from client-node's `KubeConfig`.
 */
export function createKubeApi(config: ClusterConfig, options: KubeClientOptions): KubeClient {
  const { clock, userAgent, warn = () => {}, onRetry = () => {}, onAnswer = () => {}, random = Math.random, limits = {} } = options;
  const { listBytes = defaultListBytes, objectBytes = defaultObjectBytes } = limits;
  const serverClock = new ServerClock(clock);
  const connector = new Connector(config, clock);
  const transport = createTransport(config.server, connector, clock);
  const caller = new Caller({ config, transport, connector, clock, serverClock, userAgent, warn, onRetry, onAnswer, random });

  const call = (
    doing: Doing,
    request: Request,
    callOptions: { readonly signal?: AbortSignal; readonly timeoutMs?: number },
  ): Promise<unknown> => caller.run(doing, callOptions, (scope) => caller.exchange(scope, request, objectBytes));

  return {
    list: (resource, listOptions = {}) => listAll(caller, resource, listOptions, listBytes),

    get: async <T extends KubeObject>(resource: Resource<T>, key: ObjectKey, callOptions = {}): Promise<T> => {
      const doing = { text: `getting ${describeTarget(resource, key)}`, write: false };
      return caller.run(doing, callOptions, async (scope) => {
        const request: Request = { method: 'GET', path: requestPath(resource, key) };
        return decodeObject(resource, await caller.exchange(scope, request, objectBytes));
      });
    },

    watch: (resource, watchOptions) => watchEvents(caller, resource, watchOptions, objectBytes),

    create: async <T extends KubeObject>(resource: Resource<T>, object: T, callOptions = {}): Promise<T> => {
      const key = keyOf(object);
      const doing = { text: `creating ${describeTarget(resource, key)}`, write: true };
      const request: Request = {
        method: 'POST',
        path: requestPath(resource, { namespace: key.namespace }),
        body: decodeObject(resource, { ...object }),
      };
      return caller.run(doing, callOptions, async (scope) => decodeObject(resource, await caller.exchange(scope, request, objectBytes)));
    },

    patch: async <T extends KubeObject>(resource: Resource<T>, key: ObjectKey, patch: unknown, patchOptions: PatchOptions): Promise<T> => {
      const { subresource, resourceVersion } = patchOptions;
      const doing = {
        text: `patching ${subresource === undefined ? '' : `${subresource} of `}${describeTarget(resource, key)}`,
        write: true,
      };
      return caller.run(doing, patchOptions, async (scope) => {
        if (!isRecord(patch)) throw new KubeFault('invalid', `${doing.text}: a merge patch of an object must be an object`);
        const metadata = isRecord(patch.metadata) ? patch.metadata : {};
        const request: Request = {
          method: 'PATCH',
          path: requestPath(resource, { ...key, ...(subresource === undefined ? {} : { subresource }) }),
          body: { ...patch, metadata: { ...metadata, resourceVersion } },
          contentType: 'application/merge-patch+json',
        };
        return decodeObject(resource, await caller.exchange(scope, request, objectBytes));
      });
    },

    delete: async (resource, key, deleteOptions) => {
      const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy } = deleteOptions;
      const doing = { text: `deleting ${describeTarget(resource, key)}`, write: true };
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid, resourceVersion },
        gracePeriodSeconds,
        propagationPolicy,
      };
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
