import type { ObjectKey } from '../kube/objects.ts';

/**
 * What one pass over one key came to.
 * `settled` nothing to do (reason `Gone`: the key names nothing any more, what was remembered of it is dropped) · `waiting` for the cluster, or for the next pass to see what this one wrote · `stalled` until a user acts · `failed` a call went wrong.
 */
export type Outcome =
  | {
      readonly kind: 'settled' | 'waiting' | 'stalled';
      readonly reason: string;
      readonly message: string;
      /** The pass changed something, or learnt that its view was old: look again at once. */
      readonly again: boolean;
      /** A last pass would still have something to write down. */
      readonly unsaid: boolean;
      readonly requeueAfterMs?: number;
    }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly message: string;
      readonly retry: 'observe' | 'backoff' | 'never';
      /** The server's own wish. */
      readonly retryAfterMs?: number;
    };

export interface PassContext {
  readonly signal: AbortSignal;
  /** The run ends after this pass. */
  readonly lastPass: boolean;
}

/** The function the controller runs; it is handed in, so that the controller knows no kind. Must not throw but for bugs. */
export type Reconcile = (key: ObjectKey, context: PassContext) => Promise<Outcome>;
