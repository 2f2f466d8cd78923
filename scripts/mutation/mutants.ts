import { parseSync } from 'vite';

/** One small change of a source file, as an edit of its text. */
export interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly mutator: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** What stood there, for people: first line, shortened. */
  readonly original: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}
type Edit = readonly [mutator: string, replacement: string, start?: number, end?: number];
type Mutator = (node: Node, text: (node: Node) => string) => readonly Edit[];

const boundaries: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '>': ['>=', '<='],
  '<=': ['<', '>'],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
};
const arithmetic: Readonly<Record<string, string>> = { '+': '-', '-': '+', '*': '/', '/': '*', '%': '*', '**': '*' };
/** A call of one becomes a call of the other; '' takes the call off its object. */
const methods: Readonly<Record<string, string>> = {
  some: 'every',
  every: 'some',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  filter: '',
  slice: '',
  toSorted: '',
  toReversed: '',
  toLowerCase: 'toUpperCase',
};
const typeKeys = new Set(['typeAnnotation', 'returnType', 'typeParameters', 'typeArguments', 'superTypeArguments', 'implements']);
const wrappers = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression']);

/** Either way, and never both ways of one that decides nothing. */
const condition = (test: Node): readonly Edit[] => [
  ['condition', 'true', test.start, test.end],
  ['condition', 'false', test.start, test.end],
];
const binary = (node: Node, operator: string, text: (node: Node) => string): string =>
  `((${text(node.left as Node)}) ${operator} (${text(node.right as Node)}))`;

/** The usual changes, by the kind of node they are made to. */
const mutators: Readonly<Record<string, Mutator>> = {
  IfStatement: (node) => condition(node.test as Node),
  ConditionalExpression: (node) => condition(node.test as Node),
  BinaryExpression: (node, text) => {
    const operator = node.operator as string;
    const turned = (boundaries[operator] ?? []).map((other): Edit => ['comparison', binary(node, other, text)]);
    if (turned.length > 0) return [...turned, ...condition(node)];
    const other = isText(node) ? undefined : arithmetic[operator];
    return other === undefined ? [] : [['arithmetic', binary(node, other, text)]];
  },
  LogicalExpression: (node, text) => {
    const operator = node.operator as string;
    const other = operator === '&&' ? '||' : '&&';
    return operator === '??' ? [['logic', binary(node, other, text)]] : [['logic', binary(node, other, text)], ...condition(node)];
  },
  UnaryExpression: (node, text) =>
    node.operator === '!'
      ? [['negation', `(${text(node.argument as Node)})`]]
      : node.operator === '-'
        ? [['arithmetic', `(+${text(node.argument as Node)})`]]
        : [],
  Literal: (node) => {
    if (typeof node.value === 'boolean') return [['boolean', String(!node.value)]];
    if (typeof node.value === 'string') return [['string', node.value === '' ? "'mutant'" : "''"]];
    return node.regex === undefined ? [] : looser(node);
  },
  TemplateLiteral: () => [['string', "''"]],
  ArrayExpression: (node) => [['array', (node.elements as readonly Node[]).length === 0 ? "['mutant']" : '[]']],
  ObjectExpression: (node) => ((node.properties as readonly Node[]).length === 0 ? [] : [['object', '({})']]),
  ArrowFunctionExpression: (node) => {
    const body = node.body as Node;
    return body.type === 'BlockStatement' ? [] : [['function', 'undefined', body.start, body.end]];
  },
  BlockStatement: (node) => ((node.body as readonly Node[]).length === 0 ? [] : [['block', '{}']]),
  ExpressionStatement: () => [['statement', ';']],
  ContinueStatement: () => [['statement', ';']],
  CallExpression: (node, text) => {
    const callee = node.callee as Node;
    const property = callee.property as Node | undefined;
    const other = callee.type === 'MemberExpression' && callee.computed !== true ? methods[property?.name as string] : undefined;
    if (other === undefined || property === undefined) return [];
    return other === '' ? [['method', text(callee.object as Node)]] : [['method', other, property.start, property.end]];
  },
};

function looser(node: Node): readonly Edit[] {
  const { pattern, flags } = node.regex as { pattern: string; flags: string };
  const variants = [
    pattern.replace(/^\^/, ''),
    pattern.replace(/\$$/, ''),
    pattern.replace(/\{[\d,]+\}/, ''),
    pattern.replaceAll('\\d', '\\D'),
  ];
  return [...new Set(variants)].filter((variant) => variant !== pattern).map((variant): Edit => ['pattern', `/${variant}/${flags}`]);
}

/** A sum with words in it joins them; `-` there would be nonsense. */
function isText(node: Node): boolean {
  return [node.left, node.right].some((side) => {
    const { type, value } = side as Node;
    return type === 'TemplateLiteral' || typeof value === 'string';
  });
}

/** Words for people have blanks; what the code compares or stores as a name has none. */
function isProse(node: Node, text: string): boolean {
  return (node.type === 'TemplateLiteral' || typeof node.value === 'string') && /\s/.test(text.replaceAll(/\$\{[^}]*\}/g, ''));
}

/** Every mutant of a file, in the order of its text; `prose` counts those left out because they only change wording. Pure. */
export function findMutants(file: string, source: string): { readonly mutants: readonly Mutant[]; readonly prose: number } {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const text = (node: Node): string => source.slice(node.start, node.end);
  const found = new Map<string, Mutant>();
  let prose = 0;
  const add = (node: Node, [mutator, replacement, start = node.start, end = node.end]: Edit): void => {
    const original = (source.slice(start, end).split('\n')[0] ?? '').slice(0, 80);
    const mutant = { file, line: source.slice(0, start).split('\n').length, mutator, start, end, replacement, original };
    const key = `${start} ${end} ${replacement}`;
    if (replacement !== source.slice(start, end) && !found.has(key)) found.set(key, mutant);
  };
  const visit = (node: Node): void => {
    if (node.type.startsWith('TS') && !wrappers.has(node.type)) return;
    if (node.type === 'ImportDeclaration' || node.type === 'ExportAllDeclaration') return;
    if (isProse(node, text(node))) prose += 1;
    else for (const edit of mutators[node.type]?.(node, text) ?? []) add(node, edit);
    if (node.type === 'MemberExpression' || node.type === 'CallExpression') {
      const before = ((node.object ?? node.callee) as Node).end;
      if (node.optional === true) add(node, ['optional', node.computed === true ? '' : '.', before, source.indexOf('?.', before) + 2]);
    }
    for (const [key, value] of Object.entries(node)) {
      if (typeKeys.has(key) || (key === 'key' && node.computed !== true)) continue;
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child);
    }
  };
  visit(program as unknown as Node);
  return { mutants: [...found.values()].toSorted((a, b) => a.start - b.start || a.end - b.end), prose };
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string' && 'start' in value;
}

/** The file with the mutant in it. Pure. */
export function applyMutant(source: string, mutant: Pick<Mutant, 'start' | 'end' | 'replacement'>): string {
  return source.slice(0, mutant.start) + mutant.replacement + source.slice(mutant.end);
}
