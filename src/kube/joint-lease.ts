import { KubeFault } from './faults.ts';
import type { LeaseAttempt, LeaseElector } from './lease.ts';

/**
 * Two leases as one that is held while both are: `own`, by one process at a time, and `shared`, by all who bear its identity and by
 * nobody else. Who bears another one gets `shared` when the last of them has been silent for its duration: it is never given back,
 * since whoever stops cannot know who else still works under it.
 *
 * Where no Lease can be had it is not held: nothing else keeps the holders of `shared` from those of another identity.
 */
export function joinLeases(own: LeaseElector, shared: LeaseElector): LeaseElector {
  const tryAcquire = async (signal: AbortSignal): Promise<LeaseAttempt> => {
    let isHeld = false;
    try {
      for (const lease of [own, shared]) {
        const claim = await lease.tryAcquire(signal);
        if ('unavailable' in claim) throw new KubeFault(claim.unavailable === 'forbidden' ? 'forbidden' : 'notFound', claim.message);
        if (!claim.held) return claim;
      }
      isHeld = true;
      return { held: true };
    } finally {
      if (!isHeld) await own.release();
    }
  };

  const keep = async (signal: AbortSignal, onLost: () => void): Promise<void> => {
    const over = new AbortController();
    const end = (): void => over.abort();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const lose = (): void => {
      if (!over.signal.aborted) onLost();
      end();
    };
    await Promise.all([own.keep(over.signal, lose), shared.keep(over.signal, lose)]);
    signal.removeEventListener('abort', end);
  };

  return { tryAcquire, keep, isHeld: () => own.isHeld() && shared.isHeld(), release: () => own.release() };
}
