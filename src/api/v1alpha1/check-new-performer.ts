import { sameJson } from '../../lib/canonical-json.ts';
import { fieldPath, type SpecIssue } from './performer.ts';
import { performerSchema, readWith } from './performer-schema.ts';
import { addressIsKept, type ChangeRule, managerIsKept, nameFits } from './rules.ts';

interface WrittenPerformer {
  readonly metadata: { readonly name: string };
  readonly spec?: unknown;
}

type Path = readonly PropertyKey[];

/**
 * What the API server with our CRD would refuse a Performer for: stricter than `parsePerformerSpec`, which reads what is stored. Empty: accepted. Pure.
 * As there, a value that was not changed since `old` passes whatever its form, and an item of a list counts as changed when its list was.
 *
 * @param old the stored object that is updated; absent at creation
 */
export function checkNewPerformer(performer: WrittenPerformer, old?: WrittenPerformer): readonly SpecIssue[] {
  const { value, issues } = readWith(performerSchema, { spec: performer.spec });
  const before = old === undefined ? undefined : readWith(performerSchema, { spec: old.spec }).value;
  const breaches = issues
    .filter((issue) => !isUnchanged(value, before, issue.path.slice(0, issue.path.length - depthBelow(issue))))
    .map((issue) => ({ path: fieldPath(issue.path), message: issue.message }));
  const changes = [
    ...checkChange(addressIsKept, ['spec', 'avsAddress'], value, before),
    ...checkChange(managerIsKept, ['spec'], value, before),
  ];
  const naming = old === undefined && !nameFits.holds(performer) ? [{ path: 'metadata.name', message: nameFits.message }] : [];
  return [...naming, ...breaches, ...changes];
}

/** How many steps the place shown is below the value that breaks the rule. */
function depthBelow(issue: object): number {
  const { params } = issue as { readonly params?: { readonly below?: number } };
  return params?.below ?? 0;
}

function isUnchanged(value: unknown, before: unknown, path: Path): boolean {
  // Items of lists cannot be told apart, but a list as a whole can.
  const firstItem = path.findIndex((step) => typeof step === 'number');
  const comparable = firstItem === -1 ? path : path.slice(0, firstItem);
  const old = at(before, comparable);
  return old !== undefined && sameJson(at(value, comparable), old);
}

function checkChange<Value>(rule: ChangeRule<Value>, path: Path, value: unknown, before: unknown): readonly SpecIssue[] {
  const [now, old] = [at(value, path), at(before, path)];
  // A value of the wrong type was reported as such.
  if (old === undefined || typeof now !== typeof old || rule.allows(now as Value, old as Value)) return [];
  return [{ path: fieldPath(rule.field === undefined ? path : [...path, rule.field]), message: rule.message }];
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((place, step) => (place as Readonly<Record<PropertyKey, unknown>> | undefined | null)?.[step], value);
}
