import { keyText, type ObjectKey } from '../../src/kube/objects.ts';
import type { AuditEntry } from '../audit.ts';
import { type Kind, loggedKinds, type Sight, type Trace } from './trace.ts';

/** One write of the log, as both acceptors know it. */
export interface Request {
  readonly entry: AuditEntry;
  readonly kind: (typeof loggedKinds)[number];
  readonly key: ObjectKey;
  /** When it came, and when it was answered. */
  readonly fromMs: number;
  readonly atMs: number;
  /** HTTP status of the answer. */
  readonly code: number;
  /** Of the object in the answer. */
  readonly version: number | undefined;
}

/** The writes of a trace, in the order of their answers; subresources other than status are none of the objects' own. Pure. */
export function readRequests({ entries }: Trace): readonly Request[] {
  return entries
    .flatMap((entry): Request[] => {
      const { objectRef, requestObject, responseObject, responseStatus, requestReceivedTimestamp, stageTimestamp } = entry;
      const kind = loggedKinds.find((one) => one === objectRef?.resource);
      if (kind === undefined || (objectRef?.subresource !== undefined && objectRef.subresource !== 'status')) return [];
      const name = objectRef?.name ?? requestObject?.metadata?.name ?? responseObject?.metadata?.name ?? '';
      const version = responseObject?.metadata?.uid === undefined ? undefined : Number(responseObject.metadata.resourceVersion);
      return [
        {
          entry,
          kind,
          key: { namespace: objectRef?.namespace ?? '', name },
          fromMs: Date.parse(requestReceivedTimestamp),
          atMs: Date.parse(stageTimestamp),
          code: responseStatus?.code ?? 0,
          version,
        },
      ];
    })
    .toSorted((a, b) => a.atMs - b.atMs);
}

/** Every version of every object, by kind and name, oldest first. */
export class History {
  readonly #byName: ReadonlyMap<string, readonly Sight[]>;

  constructor(sights: readonly Sight[]) {
    this.#byName = Map.groupBy(sights, ({ kind, key }) => nameOf(kind, key));
  }

  all(kind: Kind, key: ObjectKey): readonly Sight[] {
    return this.#byName.get(nameOf(kind, key)) ?? [];
  }

  /** The one before, whatever its uid. */
  previous(sight: Sight): Sight | undefined {
    const all = this.all(sight.kind, sight.key);
    return all[all.indexOf(sight) - 1];
  }

  /** Its end, once it came. */
  end(kind: Kind, key: ObjectKey, uid: string): Sight | undefined {
    return this.all(kind, key).find((sight) => sight.uid === uid && sight.object === undefined);
  }
}

function nameOf(kind: Kind, key: ObjectKey): string {
  return `${kind} ${keyText(key)}`;
}
