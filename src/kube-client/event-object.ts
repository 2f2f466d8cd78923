import type { EventRecord } from '../kube/port.ts';
import { formatTime } from '../lib/time.ts';

/** The API server takes no longer message in an Event. */
const maxMessageLength = 1024;

/** The core/v1 Event that is stored for a record. Pure. @param component who reports it, e.g. `hourglass-operator` */
export function buildEvent(record: EventRecord, component: string, nowMs: number): { readonly [key: string]: unknown } {
  const at = formatTime(nowMs);
  const message = record.message.length <= maxMessageLength ? record.message : `${record.message.slice(0, maxMessageLength - 1)}…`;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: record.name, namespace: eventNamespace(record) },
    involvedObject: record.regarding,
    type: record.type,
    reason: record.reason,
    message,
    action: record.action,
    source: { component },
    reportingComponent: component,
    reportingInstance: component,
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
}

/** Events on cluster-scoped objects live in `default`. Pure. */
export function eventNamespace(record: EventRecord): string {
  return record.regarding.namespace === '' ? 'default' : record.regarding.namespace;
}

/** `hourglass-operator` of the user agent `hourglass-operator/0.1.0 (once)`. Pure. */
export function componentOf(userAgent: string): string {
  return userAgent.split(/[/\s]/, 1)[0] ?? userAgent;
}
