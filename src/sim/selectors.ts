import { KubeFault } from '../kube/faults.ts';
import type { CoreEvent, KubeObject, Resource } from '../kube/objects.ts';
import type { ListOptions } from '../kube/port.ts';
import type { AnyObject } from './stored-object.ts';

export type Matcher = (object: AnyObject) => boolean;

const setRequirement = /^([^\s!=,()]+)\s+(in|notin)\s+\(([^()]*)\)$/;
const equalityRequirement = /^([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)$/;
const existsRequirement = /^(!?)\s*([^\s!=,()]+)$/;

/** A label selector as the API server reads it: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas. @throws KubeFault `invalid` */
export function parseLabelSelector(text: string | undefined): Matcher {
  const requirements = splitRequirements(text ?? '').map(parseRequirement);
  return (object) => {
    const labels = new Map(Object.entries(object.metadata.labels ?? {}));
    return requirements.every((holds) => holds(labels));
  };
}

/** Commas inside parentheses are not between requirements. */
function splitRequirements(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function parseRequirement(text: string): (labels: ReadonlyMap<string, string>) => boolean {
  const [, setKey = '', setOperator, list = ''] = setRequirement.exec(text) ?? [];
  if (setOperator !== undefined) {
    const values = list.split(',').map((value) => value.trim());
    return (labels) => values.some((value) => labels.get(setKey) === value) === (setOperator === 'in');
  }
  const [, key = '', operator, value] = equalityRequirement.exec(text) ?? [];
  if (operator !== undefined) return (labels) => (labels.get(key) === value) === (operator !== '!=');
  const [, not, existingKey] = existsRequirement.exec(text) ?? [];
  if (existingKey !== undefined) return (labels) => labels.has(existingKey) === (not === '');
  throw new KubeFault('invalid', `the label selector cannot be read: ${text}`, { status: 400, reason: 'BadRequest' });
}

/** Fields a field selector may name, for every kind and by kind. */
const selectableFields: Readonly<Record<string, Readonly<Record<string, (object: AnyObject) => unknown>>>> = {
  every: { 'metadata.name': ({ metadata }) => metadata.name, 'metadata.namespace': ({ metadata }) => metadata.namespace },
  Event: { 'involvedObject.uid': (object) => (object as Partial<CoreEvent>).involvedObject?.uid },
  Pod: { 'spec.nodeName': ({ spec }) => spec?.nodeName, 'status.phase': ({ status }) => status?.phase },
};

/** A field selector: `metadata.name=x,metadata.namespace!=y`. @throws KubeFault `invalid` for a field that the kind does not offer */
export function parseFieldSelector(text: string | undefined, kind: string): Matcher {
  const matchers = splitRequirements(text ?? '').map((part): Matcher => {
    const [, field = '', operator, value] = equalityRequirement.exec(part) ?? [];
    const read = selectableFields.every?.[field] ?? selectableFields[kind]?.[field];
    if (read === undefined)
      throw new KubeFault('invalid', `the field selector of ${kind} cannot be read: ${part}`, { status: 400, reason: 'BadRequest' });
    return (object) => ((read(object) ?? '') === value) === (operator !== '!=');
  });
  return (object) => matchers.every((matches) => matches(object));
}

/** What a list or watch with those options shows. @throws KubeFault `invalid` for a selector that cannot be read */
export function matcherOf(
  resource: Resource<KubeObject>,
  options: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>,
): Matcher {
  const hasLabels = parseLabelSelector(options.labelSelector);
  const hasFields = parseFieldSelector(options.fieldSelector, resource.kind);
  const inNamespace: Matcher = (object) => options.namespace === undefined || object.metadata.namespace === options.namespace;
  return (object) => inNamespace(object) && hasLabels(object) && hasFields(object);
}
