import type { ObjectMeta } from '../kube/objects.ts';
import { sameJson } from '../lib/canonical-json.ts';

const labelName = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion'];

/** Why the API server refuses such metadata, or undefined. The checks an operator can trip over: names, labels, finalizers, owners. Pure. */
export function metadataRefusal(metadata: ObjectMeta, group: string): string | undefined {
  const name = metadata.name ?? '';
  if (name.length > 253 || !subdomain.test(name)) return `metadata.name: Invalid value: "${name}": must be a lowercase RFC 1123 subdomain`;
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (!isQualifiedName(key)) return `metadata.labels: Invalid value: "${key}": not a qualified name`;
    if (typeof value !== 'string' || (value !== '' && !labelName.test(value))) {
      return `metadata.labels: Invalid value: ${JSON.stringify(value)}: a label is empty or at most 63 letters, digits, '-', '_' and '.'`;
    }
  }
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    if (!isQualifiedName(key.toLowerCase())) return `metadata.annotations: Invalid value: "${key}": not a qualified name`;
    if (typeof value !== 'string') return `metadata.annotations: Invalid value: ${JSON.stringify(value)}: must be a string`;
  }
  for (const name of metadata.finalizers ?? []) {
    const isQualified = isQualifiedName(name) && (group !== '' || name.includes('/') || standardFinalizers.includes(name));
    if (!isQualified)
      return `metadata.finalizers: Invalid value: "${name}": name is neither a standard finalizer name nor is it fully qualified`;
  }
  const owners = metadata.ownerReferences ?? [];
  for (const owner of owners) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (!owner[field]) return `metadata.ownerReferences.${field}: Invalid value: "": must not be empty`;
    }
  }
  if (owners.filter((owner) => owner.controller === true).length > 1) {
    return 'metadata.ownerReferences: Invalid value: only one reference can have controller set to true';
  }
  return undefined;
}

function isQualifiedName(key: string): boolean {
  const slash = key.indexOf('/');
  if (slash === -1) return labelName.test(key);
  const prefix = key.slice(0, slash);
  return prefix.length <= 253 && subdomain.test(prefix) && labelName.test(key.slice(slash + 1));
}

const absentWhenEmpty: readonly string[] = ['labels', 'annotations', 'finalizers', 'ownerReferences'];

/** Empty maps and lists are not stored, nor is an owner that is named twice, as in the real one. Pure. */
export function withoutEmptyMetadata(metadata: ObjectMeta): ObjectMeta {
  const { ownerReferences: owners } = metadata;
  const once = owners?.filter((owner, index) => owners.findIndex((other) => sameJson(other, owner)) === index);
  const lean = once === undefined || once.length === owners?.length ? metadata : { ...metadata, ownerReferences: once };
  const kept = Object.entries(lean).filter(([name, value]) => !absentWhenEmpty.includes(name) || Object.keys(value ?? {}).length > 0);
  return Object.fromEntries(kept) as ObjectMeta;
}
