/** RFC 3339 with whole seconds, the form of Kubernetes `Time`. Pure. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -5)}Z`;
}

/** RFC 3339 with microseconds, the form of Kubernetes `MicroTime` (Leases, Events). Pure. */
export function formatMicroTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}

/** Milliseconds since the epoch of an RFC 3339 time; undefined when there is none or it cannot be read. Pure. */
export function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
