import { parse } from 'yaml';
import { renderCrd } from '../src/api/crd/performer-crd.ts';
import type { StructuralSchema } from '../src/api/crd/structural-schema.ts';
import { checkNewPerformer } from '../src/api/v1alpha1/check-new-performer.ts';

interface ServedVersion {
  readonly name: string;
  readonly schema: { readonly openAPIV3Schema: StructuralSchema };
  readonly additionalPrinterColumns: readonly { readonly name: string; readonly description: string; readonly priority?: number }[];
}
interface Crd {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string; readonly plural: string; readonly shortNames: readonly string[] };
    readonly versions: readonly [ServedVersion];
  };
}
interface RuleText {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
}
interface Field {
  readonly path: string;
  readonly schema: StructuralSchema;
  readonly required: boolean;
}

/**
 * `docs/api.md`: every field of a Performer with its type, default, bounds, meaning and rules, from the CRD, and the samples. Pure.
 *
 * @param samples texts of files by their path from the project root
 * @throws Error that names the sample an API server would refuse
 */
export function renderApiReference(samples: ReadonlyMap<string, string>): string {
  const { group, names, versions } = (renderCrd() as unknown as Crd).spec;
  const [{ name: version, schema, additionalPrinterColumns: columns }] = versions;
  const root = schema.openAPIV3Schema;
  const { spec = {}, status = {} } = root.properties ?? {};
  const blocks = Object.entries(spec.properties ?? {}).filter(([, child]) => child.properties !== undefined);
  const inBlocks = new Set(blocks.map(([name]) => name));
  const own: StructuralSchema = {
    ...spec,
    properties: Object.fromEntries(
      Object.entries(spec.properties ?? {}).map(([name, child]) => [name, inBlocks.has(name) ? withoutInside(child) : child]),
    ),
  };
  const columnNames = (wide: boolean): string =>
    columns
      .filter(({ priority = 0 }) => priority > 0 === wide)
      .map(
        ({ name, description }) =>
          `${name} (${description.replace(/\.$/, '').replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())})`,
      )
      .join(', ');
  return `${[
    '<!-- Generated from src/api by `npm run generate`; do not edit. -->',
    '# Performer',
    `\`apiVersion: ${group}/${version}\`, \`kind: ${names.kind}\`, namespaced. ${root.description ?? ''}`,
    `\`kubectl get ${names.plural}\` (short: \`${names.shortNames.join('`, `')}\`) shows ${columnNames(false)}; with \`-o wide\` also ${columnNames(true)}. \`kubectl explain performer.spec\` tells what stands below. \`kubectl scale\` and autoscalers change \`spec.replicas\`.`,
    'A **rule** counts for a value that is new or changed: what an object held before stays valid until it is changed, so objects of earlier installations can be edited and deleted. The same rules are in the CRD, where the API server checks them, and in `checkNewPerformer` of `src/api/v1alpha1/check-new-performer.ts`. Fields not named here are left out of what is stored.',
    ...rulesOf('', { ...root, properties: {} }),
    ...section('spec', own),
    ...blocks.flatMap(([name, child]) => section(`spec.${name}`, child)),
    ...section('status', status),
    '## Samples',
    [...samples].map(([path, text]) => renderSample(path, text)).join('\n'),
  ].join('\n\n')}\n`;
}

function renderSample(path: string, text: string): string {
  const issues = checkNewPerformer(parse(text));
  if (issues.length > 0) throw new Error(`${path}: ${issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ')}`);
  const about = text.split('\n').filter((line) => line.startsWith('# '));
  return `- [\`${path}\`](../${path}): ${about.map((line) => line.slice(2)).join(' ')}`;
}

function section(path: string, schema: StructuralSchema): readonly string[] {
  const rows = fieldsOf(schema, '').map(
    (field) =>
      `| \`${field.path}\` | ${typeOf(field.schema)} | ${defaultOf(field)} | ${boundsOf(field.schema)} | ${field.schema.description ?? ''} |`,
  );
  return [
    `## \`${path}\``,
    ...(schema.description === undefined ? [] : [schema.description]),
    ['| Field | Type | Default | Bounds | Meaning |', '|---|---|---|---|---|', ...rows].join('\n'),
    ...rulesOf(path, schema),
  ];
}

/** The fields of an object and of the objects and lists in it, in the order of their names. */
function fieldsOf({ properties = {}, required = [], items, additionalProperties }: StructuralSchema, prefix: string): readonly Field[] {
  const inside = items ?? (additionalProperties?.properties === undefined ? undefined : additionalProperties);
  return [
    ...Object.entries(properties).flatMap(([name, schema]) => {
      const path = prefix === '' ? name : `${prefix}.${name}`;
      return [{ path, schema, required: required.includes(name) }, ...fieldsOf(schema, path)];
    }),
    ...(inside === undefined ? [] : fieldsOf(inside, `${prefix}[]`)),
  ];
}

function withoutInside(schema: StructuralSchema): StructuralSchema {
  const { properties: _properties, 'x-kubernetes-validations': _rules, ...rest } = schema;
  return rest;
}

function typeOf(schema: StructuralSchema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return 'integer or string';
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value === '' ? '""' : String(value)}\``).join(', ');
  if (schema.items !== undefined) {
    const keys = (schema['x-kubernetes-list-map-keys'] as readonly string[] | undefined) ?? [];
    return `list of ${typeOf(schema.items)}${keys.length === 0 ? '' : `, by ${keys.join(', ')}`}`;
  }
  if (schema.additionalProperties !== undefined) return `map of ${typeOf(schema.additionalProperties)}`;
  return schema.format ?? schema.type ?? '';
}

function defaultOf({ schema, required }: Field): string {
  if (required) return 'required';
  return schema.default === undefined ? '–' : `\`${JSON.stringify(schema.default)}\``;
}

function boundsOf(schema: StructuralSchema): string {
  const { minimum, maximum, minLength, maxLength, maxItems, maxProperties, pattern } = schema;
  const parts = [
    minimum === undefined && maximum === undefined ? '' : `${minimum ?? ''}…${maximum ?? ''}`,
    schema.enum !== undefined || schema.format === 'date-time' || maxLength === undefined
      ? ''
      : `${minLength === undefined ? '≤ ' : `${minLength}…`}${maxLength} characters`,
    maxItems === undefined ? '' : `≤ ${maxItems} items`,
    maxProperties === undefined ? '' : `≤ ${maxProperties} entries`,
    pattern === undefined ? '' : `\`${pattern.replaceAll('|', '\\|')}\``,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** The rules on a value and on what is in it, as one list; none where there is no rule. */
function rulesOf(path: string, schema: StructuralSchema): readonly string[] {
  const lines = collectRules(path, schema);
  return lines.length === 0 ? [] : [['Rules:', '', ...lines].join('\n')];
}

function collectRules(path: string, schema: StructuralSchema): readonly string[] {
  const own = ((schema['x-kubernetes-validations'] ?? []) as readonly RuleText[]).map(({ rule, message, fieldPath = '' }) => {
    const when = rule.includes('oldSelf.hasValue()') ? ' (at creation only)' : rule.includes('oldSelf') ? ' (at a change)' : '';
    const place = `${path}${fieldPath}`.replace(/^\./, '');
    return `- ${message.startsWith(place) ? '' : `\`${place}\`: `}${message}${when}.`;
  });
  const children = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => collectRules(`${path}.${name}`, child));
  return [...own, ...children, ...(schema.items === undefined ? [] : collectRules(`${path}[]`, schema.items))];
}
