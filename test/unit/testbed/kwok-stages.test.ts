import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { buildKwokConfig } from '../../../src/testbed/kwok-stages.ts';

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}
interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly resourceRef: { readonly kind: string };
    readonly selector: { readonly matchExpressions: readonly Expression[] };
    readonly delay?: { readonly durationMilliseconds: number; readonly jitterDurationMilliseconds: number } | null;
  };
}

const profiles = ['instant', 'node-like'] as const;
const behaviors = ['runs', 'pull-fails', 'crashes', 'never-ready'];
const seen = ['new', 'changed', 'pull-fails', 'crashes', 'unready', 'ready'];
/** Pods that do what they want; a failed pull leaves a running container alone. */
const settled = ['runs/ready', 'never-ready/unready', 'crashes/crashes', 'pull-fails/pull-fails', 'pull-fails/ready', 'pull-fails/unready'];

function readConfig(profile: (typeof profiles)[number]): Document[] {
  const documents = parseAllDocuments(buildKwokConfig(profile));
  if (!Array.isArray(documents)) throw new Error('an empty configuration');
  return documents.map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Document;
  });
}

const steps = profiles.flatMap((profile) => behaviors.flatMap((behavior) => seen.map((state) => ({ profile, behavior, state }))));

describe.each(profiles)('the KWOK configuration of profile %s', (profile) => {
  it('is valid YAML: settings first, then stages with names of their own', () => {
    const [settings, ...stages] = readConfig(profile);
    expect(settings?.kind).toBe('KwokConfiguration');
    expect(new Set(stages.map((stage) => stage.metadata.name)).size).toBe(stages.length);
    expect(stages.every((stage) => stage.kind === 'Stage')).toBe(true);
  });
});

describe('the next step of a pod', () => {
  it.each(steps)(
    '$profile: a pod that wants "$behavior" and is seen "$state" has one next step, or none once settled',
    ({ profile, behavior, state }) => {
      const matching = readConfig(profile).filter((stage) => {
        const expressions = stage.spec?.selector.matchExpressions ?? [];
        const allows = (word: string, key: RegExp): boolean =>
          expressions.some((row) => key.test(row.key) && row.values?.includes(word) === true);
        return allows(behavior, /capture/) && allows(state, /containerStatuses/);
      });
      expect(matching).toHaveLength(settled.includes(`${behavior}/${state}`) ? 0 : 1);
    },
  );

  it('comes at once in profile instant and takes time, never the same, in profile node-like', () => {
    const delays = (profile: (typeof profiles)[number]): (number | undefined)[] =>
      readConfig(profile)
        .filter((stage) => stage.spec?.resourceRef.kind === 'Pod')
        .map((stage) => stage.spec?.delay)
        .map((delay) => (delay ? delay.jitterDurationMilliseconds - delay.durationMilliseconds : undefined));
    expect(delays('instant').every((spread) => spread === undefined)).toBe(true);
    expect(delays('node-like').every((spread) => spread !== undefined && spread > 0)).toBe(true);
  });
});
