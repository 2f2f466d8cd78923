/** Any value that survives a JSON round trip unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * JSON with keys in code unit order and without `undefined` members: equal values give equal bytes. Pure.
 *
 * @throws TypeError for what JSON cannot hold (functions, symbols, bigints, non-finite numbers): a caller's bug
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: unknown) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`canonicalJson: ${typeof value} has no JSON form`);
}

/** Whether two values have the same JSON, whatever the order of their keys. Pure. */
export function sameJson(a: unknown, b: unknown): boolean {
  const left = a ?? null;
  const right = b ?? null;
  if (left === right) return true;
  if (left === null || right === null || typeof left !== 'object' || typeof right !== 'object') return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item: unknown, place) => sameJson(item, right[place]));
  }
  const [own, other] = [left as Members, right as Members];
  return (
    countMembers(own) === countMembers(other) &&
    Object.keys(own).every((key) => own[key] === undefined || (other[key] !== undefined && sameJson(own[key], other[key])))
  );
}

type Members = Readonly<Record<string, unknown>>;

/** An undefined member is none. */
function countMembers(object: Members): number {
  let count = 0;
  for (const key of Object.keys(object)) if (object[key] !== undefined) count += 1;
  return count;
}
