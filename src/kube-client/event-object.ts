import { isKubeFault } from '../kube/faults.ts';
import { apiVersionOf, coreEvents, type KubeObject, type Resource } from '../kube/objects.ts';
import type { CallOptions, EventRecord, KubeApi } from '../kube/port.ts';
import { formatMicroTime, formatTime } from '../lib/time.ts';
import type { Request } from './caller.ts';
import type { Doing } from './error-map.ts';
import { describeTarget, requestPath } from './request-path.ts';

/** The API server takes no longer message in an Event. */
const maxMessageLength = 1024;

/** The same stored objects as core/v1's, in the form that has series. */
const seriesEvents: Resource<KubeObject> = { ...coreEvents, group: 'events.k8s.io' } as Resource<KubeObject>;

type Body = { readonly [key: string]: unknown };

/**
 * The Event that is stored for a record: an `events.k8s.io/v1` one, or where `core` the same as core/v1. Pure.
 *
 * @param component who reports it, e.g. `my-operator`
 */
function buildEvent(record: EventRecord, core: boolean, component: string, instance: string, nowMs: number): Body {
  const at = formatTime(nowMs);
  return {
    apiVersion: apiVersionOf(core ? coreEvents : seriesEvents),
    kind: 'Event',
    metadata: { name: record.name, namespace: eventNamespace(record) },
    type: record.type,
    reason: record.reason,
    action: record.action,
    reportingInstance: instance.slice(0, 128),
    ...(core
      ? {
          involvedObject: record.regarding,
          message: noteOf(record),
          source: { component },
          reportingComponent: component,
          firstTimestamp: at,
          lastTimestamp: at,
          count: 1,
        }
      : { regarding: record.regarding, note: noteOf(record), reportingController: component, eventTime: formatMicroTime(nowMs) }),
  };
}

function noteOf({ message }: EventRecord): string {
  return message.length <= maxMessageLength ? message : `${message.slice(0, maxMessageLength - 1)}…`;
}

/** Events on cluster-scoped objects live in `default`. Pure. */
function eventNamespace(record: EventRecord): string {
  return record.regarding.namespace === '' ? 'default' : record.regarding.namespace;
}

/** `tool` of the user agent `tool/0.1.0 (once)`. Pure. */
export function componentOf(userAgent: string): string {
  return userAgent.split(/[/\s]/, 1)[0] ?? userAgent;
}

export interface EventWriterParts {
  readonly call: (doing: Doing, request: Request, options: CallOptions) => Promise<unknown>;
  readonly component: string;
  /** Which process of the component. */
  readonly instance: string;
  readonly nowMs: () => number;
  /** Told once that Events go to core/v1. */
  readonly warn: (message: string) => void;
}

/** `KubeApi.event`: stores under `events.k8s.io/v1`, and where that is not served or not allowed under core/v1. */
export function createEventWriter(parts: EventWriterParts): KubeApi['event'] {
  const { call, component, instance, nowMs, warn } = parts;
  let served = true;
  let told = false;
  /** Namespaces where only core/v1 is allowed. */
  const coreOnly = new Set<string>();

  const store = async (record: EventRecord, core: boolean, options: CallOptions): Promise<void> => {
    const resource: Resource<KubeObject> = core ? coreEvents : seriesEvents;
    const key = { namespace: eventNamespace(record), name: record.name };
    const target = describeTarget(resource, key);
    if (record.series !== undefined) {
      const { count, lastSeenMs } = record.series;
      const body = core
        ? { count, lastTimestamp: formatTime(lastSeenMs) }
        : { series: { count, lastObservedTime: formatMicroTime(lastSeenMs) } };
      const request: Request = { method: 'PATCH', path: requestPath(resource, key), body, contentType: 'application/merge-patch+json' };
      await call({ text: `patching ${target}`, write: true }, request, options);
      return;
    }
    const body = buildEvent(record, core, component, instance, nowMs());
    try {
      const request: Request = { method: 'POST', path: requestPath(resource, { namespace: key.namespace }), body };
      await call({ text: `creating ${target}`, write: true }, request, options);
    } catch (error) {
      // Told before: by an earlier pass, or by a write whose answer was lost.
      if (!isKubeFault(error, 'alreadyExists')) throw error;
    }
  };

  return async (record, options = {}) => {
    const namespace = eventNamespace(record);
    if (!served || coreOnly.has(namespace)) return store(record, true, options);
    try {
      await store(record, false, options);
    } catch (error) {
      if (!isKubeFault(error, 'forbidden', 'kindMissing')) throw error;
      await store(record, true, options);
      if (error.code === 'kindMissing') served = false;
      else coreOnly.add(namespace);
      if (!told) warn(`Events are written as core/v1: ${error.message}`);
      told = true;
    }
  };
}
