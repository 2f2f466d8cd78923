import type { StructuralSchema } from './structural-schema.ts';

/** Constructs of JavaScript's regular expressions that RE2, which the API server uses, does not have. */
const notRe2 = /\(\?[=!]|\(\?<[=!]|\\[1-9]|\\k</;

/** Keywords a CRD schema may not have, whatever their value. */
const forbidden = ['$ref', '$schema', '$defs', 'definitions', 'patternProperties', 'propertyNames', 'dependencies', 'deprecated', 'const'];

/** Keywords that only the schema itself may have, not the branches of `anyOf`, `oneOf`, `allOf` and `not`. */
const structureOnly = ['type', 'description', 'default', 'additionalProperties', 'nullable', 'title'];

/**
 * What keeps `schema` from being a structural schema, as `path: problem`; empty when nothing does. Pure.
 * Properties without a description count as problems too: a user reads them with `kubectl explain`.
 */
export function structuralProblems(schema: StructuralSchema, path = ''): readonly string[] {
  const here = (problem: string): string => `${path === '' ? '(root)' : path}: ${problem}`;
  const isIntOrString = schema['x-kubernetes-int-or-string'] === true;
  const ownProblems = [
    ...(schema.type === undefined && !isIntOrString && schema['x-kubernetes-preserve-unknown-fields'] !== true
      ? [here('has no type')]
      : []),
    ...(isIntOrString && schema.type !== undefined ? [here('is int-or-string and has a type')] : []),
    ...(schema.properties !== undefined && schema.additionalProperties !== undefined
      ? [here('has properties and additionalProperties')]
      : []),
    ...(schema.type === 'array' && schema.items === undefined ? [here('is an array without items')] : []),
    ...(typeof schema.pattern === 'string' && notRe2.test(schema.pattern) ? [here(`pattern is not RE2: ${schema.pattern}`)] : []),
    ...forbidden.filter((keyword) => keyword in schema).map((keyword) => here(`has ${keyword}`)),
    ...branchesOf(schema)
      .filter((branch) => !(isIntOrString && isBareType(branch)))
      .flatMap((branch) => structureOnly.filter((keyword) => keyword in branch).map((keyword) => here(`has ${keyword} inside a branch`))),
    ...listMapProblems(schema).map(here),
    ...(path === '.metadata' && !isBareType(withoutName(schema)) ? [here('may only have a type, and name')] : []),
  ];
  const children: readonly (readonly [string, StructuralSchema])[] = [
    ...Object.entries(schema.properties ?? {}).map(([name, child]) => [`${path}.${name}`, child] as const),
    ...(typeof schema.additionalProperties === 'object' ? [[`${path}.*`, schema.additionalProperties] as const] : []),
    ...(schema.items === undefined ? [] : [[`${path}[]`, schema.items] as const]),
  ];
  const undescribed = Object.entries(schema.properties ?? {})
    .filter(([name, child]) => (child.description ?? '').trim() === '' && !isObjectMeta(path, name))
    .map(([name]) => `${path}.${name}: has no description`);
  return [...ownProblems, ...undescribed, ...children.flatMap(([childPath, child]) => structuralProblems(child, childPath))];
}

/** @throws Error naming every problem, one a line: a mistake in the schemas, not a state of a cluster */
export function assertStructural(schema: StructuralSchema): void {
  const problems = structuralProblems(schema);
  if (problems.length > 0) throw new Error(`the schema is not structural:\n${problems.join('\n')}`);
}

function branchesOf(schema: StructuralSchema): readonly StructuralSchema[] {
  const nested = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((branches) => branches ?? []);
  const negated = schema.not === undefined ? [] : [schema.not];
  return [...nested, ...negated].flatMap((branch) => [branch, ...branchesOf(branch)]);
}

/** `metadata` of the object itself: implicit, and the server refuses a description of it. */
function isObjectMeta(path: string, name: string): boolean {
  return path === '' && name === 'metadata';
}

function isBareType(branch: StructuralSchema): boolean {
  return Object.keys(branch).length === 1 && branch.type !== undefined;
}

/** The server describes `metadata` itself and lets a schema speak of its name alone. */
function withoutName(schema: StructuralSchema): StructuralSchema {
  const { properties = {}, ...rest } = schema;
  return Object.keys(properties).every((key) => key === 'name') ? rest : schema;
}

function listMapProblems(schema: StructuralSchema): readonly string[] {
  if (schema['x-kubernetes-list-type'] !== 'map') return [];
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
  const required = schema.items?.required ?? [];
  const problems = keys.length === 0 ? ['is a list-map without keys'] : [];
  const loose = keys.filter((key) => !required.includes(key) && schema.items?.properties?.[key]?.default === undefined);
  return [...problems, ...loose.map((key) => `list-map key ${key} is neither required nor defaulted`)];
}
