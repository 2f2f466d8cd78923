import { KubeFault } from '../kube/faults.ts';
import type { AnyObject } from './stored-object.ts';

export type Matcher = (object: AnyObject) => boolean;

const setRequirement = /^([^\s!=,()]+)\s+(in|notin)\s+\(([^()]*)\)$/;
const equalityRequirement = /^([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)$/;
const existsRequirement = /^(!?)\s*([^\s!=,()]+)$/;

/** A label selector as the API server reads it: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, joined by commas. @throws KubeFault `invalid` */
export function parseLabelSelector(text: string | undefined): Matcher {
  const requirements = splitRequirements(text ?? '').map(parseRequirement);
  return (object) => requirements.every((holds) => holds(object.metadata.labels ?? {}));
}

/** Commas inside parentheses are not between requirements. */
function splitRequirements(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function parseRequirement(text: string): (labels: Readonly<Record<string, string>>) => boolean {
  const set = setRequirement.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    const isIn = (labels: Readonly<Record<string, string>>): boolean => values.includes(labels[key] ?? '') && Object.hasOwn(labels, key);
    return operator === 'in' ? isIn : (labels) => !isIn(labels);
  }
  const equality = equalityRequirement.exec(text);
  if (equality !== null) {
    const [, key = '', operator, value = ''] = equality;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const exists = existsRequirement.exec(text);
  if (exists !== null) {
    const [, not, key = ''] = exists;
    return (labels) => Object.hasOwn(labels, key) === (not === '');
  }
  throw new KubeFault('invalid', `the label selector cannot be read: ${text}`, { status: 400, reason: 'BadRequest' });
}

/** Fields a field selector may name beyond name and namespace, by kind. */
const selectableFields: Readonly<Record<string, Readonly<Record<string, (object: AnyObject) => unknown>>>> = {
  Pod: {
    'spec.nodeName': (object) => object.spec?.nodeName,
    'status.phase': (object) => object.status?.phase,
  },
};

/** A field selector: `metadata.name=x,metadata.namespace!=y`. @throws KubeFault `invalid` for a field that the kind does not offer */
export function parseFieldSelector(text: string | undefined, kind: string): Matcher {
  const matchers = splitRequirements(text ?? '').map((part): Matcher => {
    const [, field = '', operator, value] = equalityRequirement.exec(part) ?? [];
    const read = fieldReader(field, kind);
    if (read === undefined)
      throw new KubeFault('invalid', `the field selector of ${kind} cannot be read: ${part}`, { status: 400, reason: 'BadRequest' });
    return (object) => ((read(object) ?? '') === value) === (operator !== '!=');
  });
  return (object) => matchers.every((matches) => matches(object));
}

function fieldReader(field: string, kind: string): ((object: AnyObject) => unknown) | undefined {
  if (field === 'metadata.name') return (object) => object.metadata.name;
  if (field === 'metadata.namespace') return (object) => object.metadata.namespace;
  return selectableFields[kind]?.[field];
}
