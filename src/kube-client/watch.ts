import type { KubeObject, Resource } from '../kube/objects.ts';
import type { WatchEvent, WatchOptions } from '../kube/port.ts';
import { BodyError, bodyChunks, parseBody, splitLines } from './body.ts';
import type { Caller } from './caller.ts';
import { decodeObject, decodeSelected, isRecord, shareStrings } from './decode.ts';
import { type Doing, faultOfErrorEvent } from './error-map.ts';
import { describeTarget, requestPath } from './request-path.ts';
import { type TransportAnswer, TransportError } from './transport.ts';

/** Events after a version, as `KubeApi.watch` promises them. The stream is read only as fast as events are taken. */
export async function* watchEvents<T extends KubeObject>(
  caller: Caller,
  resource: Resource<T>,
  options: WatchOptions<T>,
  maxEventBytes: number,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const { namespace = '', labelSelector, fieldSelector, resourceVersion, timeoutSeconds, signal, project } = options;
  const doing = { text: `watching ${describeTarget(resource, { namespace })}`, write: false };
  const initial = options.initialEvents === true ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } : {};
  const query = { watch: true, allowWatchBookmarks: true, ...initial, resourceVersion, timeoutSeconds, labelSelector, fieldSelector };
  // The deadline of a call holds until the answer begins; then the stream may last.
  const scope = caller.openScope(doing, signal === undefined ? {} : { signal });
  let answer: TransportAnswer | undefined;
  try {
    answer = await caller.open(scope, { method: 'GET', path: requestPath(resource, { namespace }, query), lane: 'watch' });
    scope.lift();
    options.onOpen?.();
    for await (const line of splitLines(bodyChunks(answer), maxEventBytes)) {
      if (scope.signal.aborted) break;
      yield decodeEvent(doing, resource, parseBody(line), project);
    }
    // Bytes that were read before the abort must not hide it.
    if (scope.signal.aborted) throw new TransportError('aborted', 'aborted', { sent: true });
  } catch (error) {
    if (error instanceof BodyError && error.cut && !scope.signal.aborted) {
      throw caller.faultOf(new TransportError('broken', error.message, { cause: error.cause }), scope);
    }
    throw caller.faultOf(error, scope);
  } finally {
    scope.clear();
    answer?.body.destroy();
  }
}

function decodeEvent<T extends KubeObject>(
  doing: Doing,
  resource: Resource<T>,
  event: unknown,
  project: ((object: T) => T) | undefined,
): WatchEvent<T> {
  if (!isRecord(event)) throw new BodyError('an event is no JSON object', { cut: false });
  switch (event.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: event.type, object: shareStrings(decodeSelected(resource, event.object, project)) };
    case 'BOOKMARK': {
      const { resourceVersion, annotations } = decodeObject(resource, event.object).metadata ?? {};
      if (resourceVersion === undefined) throw new BodyError('a BOOKMARK has no resourceVersion', { cut: false });
      const isEnd = annotations?.['k8s.io/initial-events-end'] === 'true';
      return { type: 'BOOKMARK', resourceVersion, ...(isEnd ? { initialEventsEnd: true } : {}) };
    }
    case 'ERROR':
      throw faultOfErrorEvent(doing, event.object);
    default:
      throw new BodyError('an event is of no known type', { cut: false });
  }
}
