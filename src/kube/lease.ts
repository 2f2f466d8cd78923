import { type Clock, sleep, startDeadline } from '../lib/clock.ts';
import { formatMicroTime, parseTime } from '../lib/time.ts';
import { isKubeFault } from './faults.ts';
import { findObject } from './find.ts';
import { apiVersionOf, keyText, type Lease, leases, type ObjectKey } from './objects.ts';
import type { KubeApi } from './port.ts';

export interface LeaseOptions {
  readonly kube: Pick<KubeApi, 'get' | 'create' | 'patch' | 'serverNowMs'>;
  readonly clock: Clock;
  readonly key: ObjectKey;
  /** Who we are. A lease that names us is taken over at once: it is what a former life of ours left. */
  readonly identity: string;
  /** How long others wait for a holder that went silent; whole seconds are written. Default 15 s. */
  readonly durationMs?: number;
  /** How long the holder may go without a renewal before it must stop. Shorter than the duration. Default 10 s. */
  readonly renewMs?: number;
  /** Between two renewals. Default 2 s. */
  readonly retryMs?: number;
  /** Draws from [0, 1). */
  readonly random: () => number;
  readonly log?: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export type LeaseAttempt =
  | { readonly held: true }
  | { readonly held: false; readonly holder: string }
  /** No Lease can be had here at all; the message says why and is fit for a user. */
  | { readonly held: false; readonly unavailable: 'forbidden' | 'namespaceMissing'; readonly message: string };

export interface LeaseElector {
  /**
   * One attempt; it takes up to 3 s where the lease is about to run out.
   * @throws KubeFault when the API server did not answer, or refused for another reason than those of `LeaseAttempt`
   */
  tryAcquire(signal: AbortSignal): Promise<LeaseAttempt>;
  /** Whether we hold it at this moment, by the monotonic clock alone: also when timers are late. To be asked before each write. */
  isHeld(): boolean;
  /**
   * Renews until `signal` aborts (then it resolves, still holding), or until another one holds the lease or no renewal worked for
   * `renewMs` (then it calls `onLost` once and resolves). Never rejects.
   */
  keep(signal: AbortSignal, onLost: () => void): Promise<void>;
  /** Gives the lease back if it is still ours, so that the next holder need not wait; within 5 s. Never rejects: a lease that stays runs out. */
  release(): Promise<void>;
}

interface Seen {
  /** What a living holder changes with each renewal. */
  readonly record: string;
  /** Monotonic time at which it is free, if the record stays as it is. */
  readonly freeAtMs: number;
  /** Monotonic time of the last look. */
  readonly lookedMs: number;
}

/** A call on a Lease that takes longer than this has failed. */
const callMs = 5_000;
/** A living holder renews within this time, whatever the clocks of servers say. */
const confirmMs = 3_000;

/**
 * Leader election on one Lease, compatible with client-go's. Every write carries the resourceVersion of what was read, so of two
 * that see it free one gets it.
 *
 * A holder is taken for dead when its record did not change for the lease's duration by our own monotonic clock. At the first look
 * there is nothing to compare with: a lease that ran out by the server's time is watched for one renewal only, so that a short-lived
 * run does not wait for a dead holder, and a clock that jumped robs no living one.
 */
export function createLease(options: LeaseOptions): LeaseElector {
  const { kube, clock, key, identity, random } = options;
  const durationMs = options.durationMs ?? 15_000;
  const renewMs = options.renewMs ?? 10_000;
  const retryMs = options.retryMs ?? 2_000;
  let seen: Seen | undefined;
  /** The lease as we last wrote it; undefined while we do not hold it. */
  let own: Lease | undefined;
  /** Start of the last call that made us holder: others count from a later moment. */
  let renewedMs = 0;

  const write = async (stored: Lease | undefined, signal: AbortSignal): Promise<void> => {
    const startedMs = clock.monotonicMs();
    const now = formatMicroTime(clock.nowMs());
    const holder = stored?.spec?.holderIdentity ?? '';
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1_000),
      renewTime: now,
      acquireTime: holder === identity ? (stored?.spec?.acquireTime ?? now) : now,
      leaseTransitions: (stored?.spec?.leaseTransitions ?? 0) + (stored === undefined || holder === identity ? 0 : 1),
    };
    if (stored === undefined) {
      const lease: Lease = { apiVersion: apiVersionOf(leases), kind: leases.kind, metadata: { ...key }, spec };
      own = await kube.create(leases, lease, { signal, timeoutMs: callMs });
    } else {
      const resourceVersion = stored.metadata?.resourceVersion ?? '';
      own = await kube.patch(leases, key, { spec }, { resourceVersion, signal, timeoutMs: callMs });
    }
    renewedMs = startedMs;
  };

  const find = (signal: AbortSignal): Promise<Lease | undefined> => findObject(kube, leases, key, { signal, timeoutMs: callMs });

  /** How long until nobody alive holds the lease, if its record stays as it is; 0: it is free. */
  const freeInMs = (lease: Lease): number => {
    const spec = lease.spec ?? {};
    const holder = spec.holderIdentity ?? '';
    if (holder === '' || holder === identity) return 0;
    const nowMs = clock.monotonicMs();
    const leaseMs = (spec.leaseDurationSeconds ?? durationMs / 1_000) * 1_000;
    const record = JSON.stringify([holder, spec.renewTime, spec.leaseTransitions, spec.acquireTime]);
    if (seen === undefined) {
      const isExpired = lastSignOfLifeMs(lease) + leaseMs + 1_000 < kube.serverNowMs();
      seen = { record, freeAtMs: nowMs + (isExpired ? confirmMs : leaseMs + 1), lookedMs: nowMs };
    } else if (seen.record === record) {
      seen = { ...seen, lookedMs: nowMs };
    } else {
      // Written after the last look. A holder stops `renewMs` after its last renewal, so counting one interval too many robs nobody.
      seen = { record, freeAtMs: Math.max(seen.lookedMs, nowMs - retryMs) + leaseMs + 1, lookedMs: nowMs };
    }
    return Math.max(0, seen.freeAtMs - nowMs);
  };

  const attempt = async (signal: AbortSignal, looksLeft: number): Promise<LeaseAttempt> => {
    const stored = await find(signal);
    const waitMs = stored === undefined ? 0 : freeInMs(stored);
    if (waitMs > confirmMs || (waitMs > 0 && looksLeft <= 0)) return { held: false, holder: stored?.spec?.holderIdentity ?? '' };
    if (waitMs > 0) {
      await sleep(clock, waitMs, signal);
      return attempt(signal, looksLeft - 1);
    }
    try {
      await write(stored, signal);
      return { held: true };
    } catch (error) {
      // Somebody was faster, or we cannot know whether we were: the stored lease tells.
      if (isKubeFault(error, 'conflict', 'alreadyExists', 'unknownOutcome') && looksLeft > 0) return attempt(signal, looksLeft - 1);
      if (isKubeFault(error, 'conflict', 'alreadyExists')) return { held: false, holder: 'another writer' };
      if (isKubeFault(error, 'notFound') && stored === undefined) {
        const message = `creating Lease ${keyText(key)}: namespace ${key.namespace} does not exist; create it or name another one`;
        return { held: false, unavailable: 'namespaceMissing', message };
      }
      throw error;
    }
  };

  const tryAcquire = async (signal: AbortSignal): Promise<LeaseAttempt> => {
    try {
      return await attempt(signal, 2);
    } catch (error) {
      if (isKubeFault(error, 'forbidden')) return { held: false, unavailable: 'forbidden', message: error.message };
      throw error;
    }
  };

  /** Renews on what we wrote last, or on what is stored when a stranger touched it. Whether the lease is still ours. */
  const renew = async (signal: AbortSignal): Promise<boolean> => {
    let last = own;
    // Others who bear this identity may write it as often as we do: each try but the first reads what they wrote.
    for (; last?.spec?.holderIdentity === identity; last = await find(signal)) {
      try {
        await write(last, signal);
        return true;
      } catch (error) {
        if (!isKubeFault(error, 'conflict', 'notFound', 'unknownOutcome')) throw error;
      }
    }
    return false;
  };

  const keep = async (signal: AbortSignal, onLost: () => void): Promise<void> => {
    let isTroubled = false;
    while (!signal.aborted) {
      await sleep(clock, retryMs * (1 + 0.2 * random()), signal);
      if (signal.aborted) return;
      const leftMs = renewedMs + renewMs - clock.monotonicMs();
      const deadline = startDeadline(clock, Math.max(0, leftMs), signal);
      let reason: string | undefined;
      try {
        if (leftMs <= 0) reason = `no renewal for ${renewMs} ms`;
        else if (await renew(deadline.signal)) isTroubled = false;
        else reason = 'another one holds it';
      } catch (error) {
        if (signal.aborted) return;
        if (deadline.expired()) reason = `no renewal for ${renewMs} ms`;
        if (!isTroubled) options.log?.('renewing the Lease failed', { lease: keyText(key), error: String(error) });
        isTroubled = true;
      } finally {
        deadline.clear();
      }
      if (reason === undefined) continue;
      own = undefined;
      options.log?.('lost the Lease', { lease: keyText(key), reason });
      onLost();
      return;
    }
  };

  const release = async (): Promise<void> => {
    let last = own;
    own = undefined;
    if (last === undefined) return;
    const deadline = startDeadline(clock, callMs);
    const now = formatMicroTime(clock.nowMs());
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    try {
      for (let looksLeft = 1; last?.spec?.holderIdentity === identity; looksLeft -= 1) {
        try {
          const resourceVersion = last.metadata?.resourceVersion ?? '';
          await kube.patch(leases, key, { spec }, { resourceVersion, signal: deadline.signal, timeoutMs: callMs });
          return;
        } catch (error) {
          if (looksLeft <= 0 || !isKubeFault(error, 'conflict')) throw error;
        }
        // A renewal that was cut off may have been stored, or somebody put a label on it.
        last = await find(deadline.signal);
      }
    } catch (error) {
      options.log?.('releasing the Lease failed; it runs out by itself', { lease: keyText(key), error: String(error) });
    } finally {
      deadline.clear();
    }
  };

  const isHeld = (): boolean => own !== undefined && clock.monotonicMs() - renewedMs < renewMs;

  return { tryAcquire, isHeld, keep, release };
}

/**
 * The newest trace of the holder: the server's record of the last write, since the holder's clock may be behind or ahead; its own word
 * where there is no such record. 0 when there is none.
 */
function lastSignOfLifeMs(lease: Lease): number {
  const writes = (lease.metadata?.managedFields ?? []).flatMap((entry) => (entry.time === undefined ? [] : [entry.time]));
  const times = writes.length > 0 ? writes : [lease.spec?.renewTime];
  return Math.max(0, ...times.map((time) => parseTime(time) ?? 0));
}
