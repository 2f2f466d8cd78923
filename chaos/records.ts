/** What the controller of Chaos Mesh says of an experiment: of each thing it was to meet, how often it did and how often it took that back. */
export interface ChaosStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  readonly experiment?: {
    readonly desiredPhase?: string;
    readonly containerRecords?: readonly ChaosRecord[];
  };
}

export interface ChaosRecord {
  readonly id: string;
  readonly phase?: string;
  readonly injectedCount?: number;
  readonly recoveredCount?: number;
  readonly events?: readonly {
    readonly operation?: string;
    readonly type?: string;
    readonly message?: string;
    readonly timestamp?: string;
  }[];
}

const isTrue = (status: ChaosStatus | undefined, type: string): boolean =>
  status?.conditions?.some((one) => one.type === type && one.status === 'True') === true;
const recordsOf = (status: ChaosStatus | undefined): readonly ChaosRecord[] => status?.experiment?.containerRecords ?? [];

/** Whether the controller has seen it. Pure. */
export function isTakenUp(status: ChaosStatus | undefined): boolean {
  return status?.conditions !== undefined;
}

/** Whether records are there: they are kept once it was tried for the first time on all that was selected. Pure. */
export function hasRecords(status: ChaosStatus | undefined): boolean {
  return recordsOf(status).length > 0;
}

/** Whether it met everything it was to meet. `AllInjected` alone is also said of what has met nothing. Pure. */
export function isInjected(status: ChaosStatus | undefined): boolean {
  const records = recordsOf(status);
  return isTrue(status, 'AllInjected') && records.length > 0 && records.every(({ injectedCount = 0 }) => injectedCount >= 1);
}

/** Whether all of it was taken back. `AllRecovered` is also said of what was never injected. Pure. */
export function isRecovered(status: ChaosStatus | undefined): boolean {
  const records = recordsOf(status);
  const isStopped = status?.experiment?.desiredPhase === 'Stop' && isTrue(status, 'AllRecovered');
  return isStopped && records.length > 0 && records.every(({ recoveredCount = 0 }) => recoveredCount >= 1);
}

/** Why it did not meet what it was to meet, in the controller's own words. Pure. */
export function explainRecords(status: ChaosStatus | undefined): string {
  const records = recordsOf(status);
  if (!isTakenUp(status)) return 'its controller has not taken it up';
  if (records.length === 0) return 'it has selected nothing, or not done it yet';
  const lines = records.map(({ id, phase = 'no phase', injectedCount = 0, events = [] }) => {
    const failed = events.findLast(({ type }) => type === 'Failed');
    return `${id}: ${phase}, injected ${injectedCount} times${failed?.message === undefined ? '' : ` (${failed.message})`}`;
  });
  return lines.join('; ');
}

/** The pods or machines that it may still act on: it was not taken back there. Pure. */
export function whereItMayBe(status: ChaosStatus | undefined): readonly string[] {
  return recordsOf(status)
    .filter(({ injectedCount = 0, recoveredCount = 0 }) => recoveredCount < Math.max(1, injectedCount))
    .map(({ id }) => id);
}
