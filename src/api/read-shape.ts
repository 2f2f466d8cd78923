/**
 * A zod type as plain data, for values that are stored: without rules and bounds that only new values are held to.
 * `npm run generate` makes it. Who reads stored objects needs no zod then, which takes its time to load, to build its types and to read.
 */
export type Shape =
  | { readonly is: 'object'; readonly fields: Readonly<Record<string, Field>> }
  | { readonly is: 'map' | 'list'; readonly of: Shape }
  | { readonly is: 'text'; readonly minLength?: number; readonly pattern?: string }
  | (Bounds & { readonly is: 'int' })
  | { readonly is: 'bool' }
  | { readonly is: 'choice'; readonly values: readonly string[] }
  | (Bounds & { readonly is: 'intOrText'; readonly pattern: string; readonly error: string });
export type Field = Shape & { readonly optional?: true; readonly default?: string | number };

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

export interface Breach {
  readonly path: readonly PropertyKey[];
  /** Holds no value. */
  readonly message: string;
}

/** The value with defaults filled in, without unknown fields and without members that are null, as far as it has the shape; and where it has not. Pure. */
export function readShape(shape: Shape, input: unknown): { readonly value: unknown; readonly breaches: readonly Breach[] } {
  const reader = new Reader();
  return { value: reader.read(shape, input), breaches: reader.breaches };
}

class Reader {
  readonly breaches: Breach[] = [];
  readonly #path: PropertyKey[] = [];

  read(shape: Shape, value: unknown): unknown {
    switch (shape.is) {
      case 'object':
        return isRecord(value) ? this.#fields(shape.fields, value) : this.#missing(value, 'an object');
      case 'map':
        return isRecord(value) ? this.#members(shape.of, value) : this.#missing(value, 'an object');
      case 'list':
        if (!Array.isArray(value)) return this.#missing(value, 'a list');
        return value.map((item: unknown, index) => this.#below(index, shape.of, item));
      case 'text':
        if (typeof value !== 'string') return this.#missing(value, 'a text');
        if (value.length < (shape.minLength ?? 0)) this.#say(`must have at least ${shape.minLength} characters`);
        if (shape.pattern !== undefined && !matches(shape.pattern, value)) this.#say(`must match /${shape.pattern}/`);
        return value;
      case 'int':
        return Number.isInteger(value) ? this.#bounded(shape, value as number) : this.#missing(value, 'a whole number');
      case 'bool':
        return typeof value === 'boolean' ? value : this.#missing(value, 'true or false');
      case 'choice':
        if (!shape.values.includes(value as string)) this.#say(`must be one of ${shape.values.join(', ')}`);
        return value;
      case 'intOrText':
        if (Number.isInteger(value)) return this.#bounded(shape, value as number);
        if (typeof value !== 'string' || !matches(shape.pattern, value)) this.#say(shape.error);
        return value;
    }
  }

  #fields(fields: Readonly<Record<string, Field>>, given: Readonly<Record<string, unknown>>): unknown {
    const result: Record<string, unknown> = {};
    for (const name of Object.keys(fields)) {
      const field = fields[name] as Field;
      const member = given[name] ?? field.default;
      if (member !== undefined || field.optional !== true) result[name] = this.#below(name, field, member);
    }
    return result;
  }

  #members(shape: Shape, given: Readonly<Record<string, unknown>>): unknown {
    const result: Record<string, unknown> = {};
    for (const name of Object.keys(given)) {
      // It would change what the result is, and is the name of nothing.
      if (given[name] !== null && name !== '__proto__') result[name] = this.#below(name, shape, given[name]);
    }
    return result;
  }

  #below(step: PropertyKey, shape: Shape, value: unknown): unknown {
    this.#path.push(step);
    const result = this.read(shape, value);
    this.#path.pop();
    return result;
  }

  #bounded({ min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER }: Bounds, value: number): number {
    if (value < min) this.#say(`must be at least ${min}`);
    if (value > max) this.#say(`must be at most ${max}`);
    return value;
  }

  #missing(value: unknown, wanted: string): undefined {
    this.#say(value === undefined ? 'is required' : `must be ${wanted}`);
  }

  #say(message: string): void {
    this.breaches.push({ path: [...this.#path], message });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const expressions = new Map<string, RegExp>();

function matches(pattern: string, text: string): boolean {
  let expression = expressions.get(pattern);
  if (expression === undefined) {
    expression = new RegExp(pattern);
    expressions.set(pattern, expression);
  }
  return expression.test(text);
}
