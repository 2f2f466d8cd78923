/**
 * Order of two resourceVersions of one API server: below 0 when `a` is older, 0 when equal. None at all (or '') is older than any. Pure.
 *
 * They are decimal numbers past 2^53 without leading zeros, so the longer one is the newer one and digits decide between equals in length.
 */
export function compareResourceVersions(a: string | undefined, b: string | undefined): number {
  const left = a ?? '';
  const right = b ?? '';
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
