import { effectivePort } from '../../api/v1alpha1/defaults.ts';
import type { PerformerSpec } from '../../api/v1alpha1/performer.ts';
import { canonicalJson } from '../../lib/canonical-json.ts';
import { hashHex } from '../../lib/hash.ts';

/**
 * What of a spec, when changed, needs new pods: a fingerprint of the Performer's own fields, never of the built pod.
 * A field at the value it had by default when it was first published is left out, so a new builder default, operator setting or CRD default rolls nothing. Pure.
 */
export function computeRevision(spec: PerformerSpec): string {
  const { config } = spec;
  const fields = {
    image: spec.image,
    imagePullPolicy: unless(spec.imagePullPolicy, 'IfNotPresent'),
    version: unless(spec.version, ''),
    // The port counts as its effective number: writing the default out is no change.
    port: effectivePort(spec),
    environment: unlessEmpty(config?.environment),
    environmentFrom: unlessEmpty(config?.environmentFrom),
    env: unlessEmpty(config?.env),
    args: unlessEmpty(config?.args),
    command: unlessEmpty(config?.command),
    serviceAccountName: unless(config?.serviceAccountName, ''),
    resources: compact(spec.resources),
    scheduling: compact(spec.scheduling),
    // None asked for is the same as not asked.
    hardwareRequirements: compact(spec.hardwareRequirements, [0, false]),
    imagePullSecrets: unlessEmpty(spec.imagePullSecrets),
    // The case of its digits is no part of an address, and the label is in lower case.
    avsAddress: spec.avsAddress.toLowerCase(),
    probes: compact(spec.probes),
    terminationGracePeriodSeconds: unless(spec.terminationGracePeriodSeconds, 30),
    // The operator's own default rolls nothing: only what the Performer says counts.
    security: compact(spec.security),
  };
  return hashHex(canonicalJson(fields));
}

function unless<T>(value: T | undefined, firstDefault: T): T | undefined {
  return value === firstDefault ? undefined : value;
}

function unlessEmpty<T extends object>(value: T | undefined): T | undefined {
  return value === undefined || Object.keys(value).length === 0 ? undefined : value;
}

/** A group of fields without those that say nothing; undefined when none is left. */
function compact(group: object | undefined, nothing: readonly unknown[] = []): object | undefined {
  const fields = Object.entries(group ?? {}).filter(
    ([, value]) =>
      value !== undefined &&
      value !== '' &&
      !nothing.includes(value) &&
      (typeof value !== 'object' || Object.keys(value as object).length > 0),
  );
  return unlessEmpty(Object.fromEntries(fields));
}
