import { parseSync } from 'vite';

/** One of the ways on from a place at which code decides. */
export interface Branch {
  readonly file: string;
  readonly line: number;
  /** For people: the code, shortened, and which way. */
  readonly what: string;
  /** How often it was taken, from the counters that were put into the code. */
  readonly taken: (counts: ArrayLike<number>) => number;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const shownLength = 90;

/**
 * The branches of a file, and the file with a counter at each: both ways of `if` and `?:`, each `case` by itself, `&&`, `||` and `??` with
 * their right side looked at or not, default values taken. `?.` and loops decide nothing here. Pure.
 *
 * @param first the number of its first counter
 */
export function countBranches(
  file: string,
  source: string,
  first: number,
): { readonly branches: readonly Branch[]; readonly code: string; readonly next: number } {
  const branches: Branch[] = [];
  const inserts: { readonly at: number; readonly text: string }[] = [];
  const wraps = new Map<unknown, readonly [before: string, after: string]>();
  let next = first;
  const count = (): readonly [id: number, code: string] => [next, `globalThis.told[${next++}]++`];
  const insert = (at: number, text: string): void => void inserts.push({ at, text });
  const add = ({ start, end }: Node, way: string, taken: Branch['taken']): void => {
    const text = source.slice(start, end).replace(/\s+/g, ' ');
    const shown = text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;
    branches.push({ file, line: source.slice(0, start).split('\n').length, what: `${shown} ${way}`, taken });
  };
  const wrap = (node: unknown): number => {
    const [id, code] = count();
    wraps.set(node, [`(${code}, `, ')']);
    return id;
  };
  const wrapStatement = (node: unknown): number => {
    const [id, code] = count();
    wraps.set(node, [`{ ${code}; `, ' }']);
    return id;
  };

  const begin: Readonly<Record<string, (node: Node) => void>> = {
    IfStatement: (node) => {
      const then = wrapStatement(node.consequent);
      add(node.test as Node, '→ true', (counts) => counts[then] ?? 0);
      const otherwise = isNode(node.alternate) ? wrapStatement(node.alternate) : next++;
      add(node.test as Node, '→ false', (counts) => counts[otherwise] ?? 0);
      if (!isNode(node.alternate)) wraps.set(node, ['', ` else globalThis.told[${otherwise}]++;`]);
    },
    ConditionalExpression: (node) => {
      const [then, otherwise] = [wrap(node.consequent), wrap(node.alternate)];
      add(node.test as Node, '? → first', (counts) => counts[then] ?? 0);
      add(node.test as Node, '? → second', (counts) => counts[otherwise] ?? 0);
    },
    LogicalExpression: (node) => {
      const [left, right] = [wrap(node.left), wrap(node.right)];
      add(node, `— past ${String(node.operator)}`, (counts) => counts[right] ?? 0);
      add(node, `— ended before ${String(node.operator)}`, (counts) => (counts[left] ?? 0) - (counts[right] ?? 0));
    },
    AssignmentPattern: (node) => {
      const value = wrap(node.right);
      add(node, '— default taken', (counts) => counts[value] ?? 0);
    },
    SwitchStatement: (node) => {
      let fallsFrom: number | undefined;
      for (const one of node.cases as readonly Node[]) {
        const [id, code] = count();
        const body = one.consequent as readonly Node[];
        insert(body[0]?.start ?? one.end, ` ${code}; `);
        const before = fallsFrom;
        add(one, '— chosen', (counts) => (counts[id] ?? 0) - (before === undefined ? 0 : (counts[before] ?? 0)));
        fallsFrom = body.length === 0 ? id : undefined;
      }
    },
  };

  // What surrounds comes before what it surrounds, and after it: the order in which inserts of one place are made.
  const visit = (node: Node): void => {
    const outer = wraps.get(node);
    if (outer !== undefined) insert(node.start, outer[0]);
    const own = begin[node.type];
    own?.(node);
    const added = wraps.get(node);
    for (const value of Object.values(node)) for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child);
    if (added !== undefined && added !== outer) insert(node.end, added[1]);
    if (outer !== undefined) insert(node.end, outer[1]);
  };
  visit(parseSync(file, source).program as unknown as Node);

  let code = '';
  let done = 0;
  for (const { at, text } of inserts.toSorted((a, b) => a.at - b.at)) {
    code += source.slice(done, at) + text;
    done = at;
  }
  return { branches, code: code + source.slice(done), next };
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}
