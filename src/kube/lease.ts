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
  /** One attempt. @throws KubeFault when the API server did not answer, or refused for another reason than those of `LeaseAttempt` */
  tryAcquire(signal: AbortSignal): Promise<LeaseAttempt>;
  /**
   * Renews until `signal` aborts (then it resolves, still holding), or until another one holds the lease or no renewal worked for
   * `renewMs` (then it calls `onLost` once and resolves). Never rejects.
   */
  keep(signal: AbortSignal, onLost: () => void): Promise<void>;
  /** Gives the lease back if it is still ours, so that the next holder need not wait. Never rejects: a lease that stays runs out. */
  release(): Promise<void>;
}

interface Seen {
  /** What a living holder changes with each renewal. */
  readonly record: string;
  /** Monotonic time at which this record was first seen. */
  readonly sinceMs: number;
}

/** A call on a Lease that takes longer than this has failed. */
const callMs = 5_000;

/**
 * Leader election on one Lease, compatible with client-go's. Every write carries the resourceVersion of what was read, so of two
 * that see it free one gets it.
 *
 * A holder is taken for dead when its record did not change for the lease's duration by our own monotonic clock. At the first look
 * there is nothing to compare with, and a lease that ran out by the server's time is taken as well, so that a short-lived run does not
 * wait for a dead holder.
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

  /** Whether nobody alive holds the lease. */
  const isFree = (lease: Lease): boolean => {
    const spec = lease.spec ?? {};
    const holder = spec.holderIdentity ?? '';
    if (holder === '' || holder === identity) return true;
    const nowMs = clock.monotonicMs();
    const leaseMs = (spec.leaseDurationSeconds ?? durationMs / 1_000) * 1_000;
    const record = JSON.stringify([holder, spec.renewTime, spec.leaseTransitions, spec.acquireTime]);
    const isFirstLook = seen === undefined;
    if (seen?.record !== record) seen = { record, sinceMs: nowMs };
    if (isFirstLook) return lastSignOfLifeMs(lease) + leaseMs + 1_000 < kube.serverNowMs();
    return nowMs - seen.sinceMs > leaseMs;
  };

  const attempt = async (signal: AbortSignal, looksLeft: number): Promise<LeaseAttempt> => {
    const stored = await find(signal);
    if (stored !== undefined && !isFree(stored)) return { held: false, holder: stored.spec?.holderIdentity ?? '' };
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
      return await attempt(signal, 1);
    } catch (error) {
      if (isKubeFault(error, 'forbidden')) return { held: false, unavailable: 'forbidden', message: error.message };
      throw error;
    }
  };

  /** Renews on what we wrote last, or on what is stored when a stranger touched it. Whether the lease is still ours. */
  const renew = async (signal: AbortSignal): Promise<boolean> => {
    const last = own;
    if (last === undefined) return false;
    try {
      await write(last, signal);
      return true;
    } catch (error) {
      if (!isKubeFault(error, 'conflict', 'notFound', 'unknownOutcome')) throw error;
    }
    const stored = await find(signal);
    if (stored?.spec?.holderIdentity !== identity) return false;
    await write(stored, signal);
    return true;
  };

  const keep = async (signal: AbortSignal, onLost: () => void): Promise<void> => {
    while (!signal.aborted) {
      await sleep(clock, retryMs * (1 + 0.2 * random()), signal);
      if (signal.aborted) return;
      const leftMs = renewedMs + renewMs - clock.monotonicMs();
      const deadline = startDeadline(clock, Math.max(0, leftMs), signal);
      let reason: string | undefined;
      try {
        if (leftMs <= 0) reason = `no renewal for ${renewMs} ms`;
        else if (!(await renew(deadline.signal))) reason = 'another one holds it';
      } catch (error) {
        if (signal.aborted) return;
        if (deadline.expired()) reason = `no renewal for ${renewMs} ms`;
        options.log?.('renewing the Lease failed', { lease: keyText(key), error: String(error) });
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
    const never = new AbortController().signal;
    const now = formatMicroTime(clock.nowMs());
    const spec = { holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    for (let looksLeft = 1; last?.spec?.holderIdentity === identity; looksLeft -= 1) {
      try {
        await kube.patch(leases, key, { spec }, { resourceVersion: last.metadata?.resourceVersion ?? '', timeoutMs: callMs });
        return;
      } catch (error) {
        if (looksLeft <= 0 || !isKubeFault(error, 'conflict')) {
          options.log?.('releasing the Lease failed; it runs out by itself', { lease: keyText(key), error: String(error) });
          return;
        }
      }
      // A renewal that was cut off may have been stored, or somebody put a label on it.
      last = await find(never).catch(() => undefined);
    }
  };

  return { tryAcquire, keep, release };
}

/**
 * The newest trace of the holder: its own word, or the server's record of its last write where that is newer (the holder's clock
 * may be behind, and a living holder must not be robbed for that). 0 when there is none.
 */
function lastSignOfLifeMs(lease: Lease): number {
  const times = [lease.spec?.renewTime, ...(lease.metadata?.managedFields ?? []).map((entry) => entry.time)];
  return Math.max(0, ...times.map((time) => parseTime(time) ?? 0));
}
