/** Deeper than any field of ours; further down nothing is read, so nothing needs to be looked at. */
const deepest = 32;

/** The value without object members that are null, at any depth: the API server takes those out of what it stores before it judges it. Items of lists stay. Pure. */
export function withoutNullMembers(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > deepest) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => withoutNullMembers(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNullMembers(member, depth + 1)]),
  );
}
