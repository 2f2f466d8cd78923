import type * as z from 'zod/mini';
import type { Field, Shape } from '../src/api/read-shape.ts';
import { performerSpecSchema } from '../src/api/v1alpha1/performer-schema.ts';

/** What of zod's definitions the shapes are made of. */
interface Definition {
  readonly type: string;
  readonly shape: Readonly<Record<string, z.ZodMiniType>>;
  readonly innerType: z.ZodMiniType;
  readonly defaultValue: string | number;
  readonly element: z.ZodMiniType;
  readonly valueType: z.ZodMiniType;
  readonly options: readonly z.ZodMiniType[];
  readonly entries: Readonly<Record<string, string>>;
  readonly checks?: readonly { readonly _zod: { readonly def: Check } }[];
  readonly error?: (issue: object) => string;
}

interface Check {
  readonly check: string;
  readonly minimum?: number;
  readonly value?: number;
  readonly pattern?: RegExp;
}

/** The TypeScript file with the shape of a stored spec. Pure. */
export function renderSpecShape(): string {
  const shape = JSON.stringify(shapeOf(performerSpecSchema), undefined, 1);
  return `// Generated from src/api/v1alpha1/performer-schema.ts by \`npm run generate\`; do not edit.
import type { Shape } from '../read-shape.ts';

export const specShape: Shape = ${shape};
`;
}

/** @throws Error for a type that has no shape: give shapes a word for it, or zod's part of it no bounds */
export function shapeOf(type: z.ZodMiniType): Field {
  const def = type._zod.def as unknown as Definition;
  const checks = (def.checks ?? []).map((check) => check._zod.def);
  const pattern = checks.find((check) => check.pattern !== undefined)?.pattern?.source;
  switch (def.type) {
    case 'optional':
      return { ...shapeOf(def.innerType), optional: true };
    case 'default':
      return { ...shapeOf(def.innerType), default: def.defaultValue };
    case 'object':
      return { is: 'object', fields: Object.fromEntries(Object.entries(def.shape).map(([name, field]) => [name, shapeOf(field)])) };
    case 'record':
      return { is: 'map', of: shapeOf(def.valueType) };
    case 'array':
      return { is: 'list', of: shapeOf(def.element) };
    case 'string': {
      const minLength = checks.find(({ check }) => check === 'min_length')?.minimum;
      return { is: 'text', ...(minLength === undefined ? {} : { minLength }), ...(pattern === undefined ? {} : { pattern }) };
    }
    case 'number':
      return { is: 'int', ...boundsOf(checks) };
    case 'boolean':
      return { is: 'bool' };
    case 'enum':
      return { is: 'choice', values: Object.values(def.entries) };
    case 'union': {
      const [int, text] = def.options.map(shapeOf) as [Shape & { is: 'int' }, Shape & { is: 'text' }];
      return { ...int, is: 'intOrText', pattern: text.pattern ?? '', error: def.error?.({}) ?? '' };
    }
    default:
      throw new Error(`there is no shape for zod's ${def.type}`);
  }
}

function boundsOf(checks: readonly Check[]): { readonly min?: number; readonly max?: number } {
  const [min, max] = ['greater_than', 'less_than'].map((name) => checks.find(({ check }) => check === name)?.value);
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}
