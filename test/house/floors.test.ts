import { describe, expect, it } from 'vitest';
import { findChains, type ImportGraph, importGraph, isSource, readSources } from '../support/sources.ts';

/** Who may load whom at run time, beside its own floor. `node:` stands for every module of Node's, a name without `src/` for a package. */
const floors: Readonly<Record<string, readonly string[]>> = {
  'src/lib': [],
  'src/kube': ['src/lib'],
  'src/api': ['src/lib', 'zod'],
  // Writes the CRD's text; what executors share stays free of a YAML library.
  'src/api/crd': ['src/api', 'src/lib', 'zod', 'yaml'],
  // Of the Kubernetes floor only the plain objects and the look-ups in them.
  'src/reconcile/plan': ['src/api', 'src/lib', 'src/kube/objects.ts'],
  'src/reconcile': ['src/reconcile/plan', 'src/api', 'src/kube', 'src/lib'],
  'src/controller': ['src/kube', 'src/lib'],
  'src/operator': ['src/controller', 'src/reconcile', 'src/reconcile/plan', 'src/api', 'src/kube', 'src/lib'],
  'src/kube-client': ['src/kube', 'src/lib', 'node:', 'yaml', '@kubernetes/client-node'],
  'src/grpc': ['@bufbuild/protobuf'],
  'src/executor': ['src/api', 'src/kube', 'src/lib', 'src/grpc', 'node:', '@bufbuild/protobuf', '@grpc/grpc-js'],
  'src/performer': ['src/lib', 'src/grpc', 'node:', '@bufbuild/protobuf', '@grpc/grpc-js'],
  'src/oracle': ['src/api', 'src/kube', 'src/lib'],
  'src/sim': ['src/oracle', 'src/operator', 'src/controller', 'src/reconcile', 'src/reconcile/plan', 'src/api', 'src/kube', 'src/lib'],
  'src/telemetry': ['src/kube', 'src/lib', 'node:', 'pino', 'prom-client'],
  'src/images': ['node:', 'tar-stream'],
  'src/testbed': ['src/images', 'src/kube-client', 'src/kube', 'src/lib', 'node:', '@peculiar/x509', 'reflect-metadata', 'yaml', 'zod'],
  'src/bench': [
    'src/oracle',
    'src/kube-client',
    'src/testbed',
    'src/api',
    'src/kube',
    'src/lib',
    'node:',
    'vega',
    'vega-lite',
    'yaml',
    'zod',
  ],
};
/** The composition root imports anything. */
const unbound = ['src/cli'];

/** What the operator may load lazily and must not load at its start: it costs time and memory that `once` does not have. */
const notAtStart = [
  '@grpc/grpc-js',
  '@bufbuild/protobuf',
  'vega',
  'vega-lite',
  'src/images',
  'src/testbed',
  'src/bench',
  'chaos',
  'src/sim',
  '@kubernetes/client-node',
  '@peculiar/x509',
  'reflect-metadata',
  'zod',
];

const floorOf = (path: string): string | undefined =>
  [...Object.keys(floors), ...unbound].filter((floor) => path.startsWith(`${floor}/`)).sort((a, b) => b.length - a.length)[0];

/** One line per import that points where it may not, with the chain by which the program gets there. */
function findBadImports(graph: ImportGraph, entry: string): readonly string[] {
  const chains = findChains(graph, [entry], ['value', 'lazy']);
  const bad: string[] = [];
  for (const [path, imports] of graph) {
    const floor = floorOf(path);
    if (floor === undefined) bad.push(`${path}: on no floor of the table`);
    if (floor === undefined || unbound.includes(floor)) continue;
    const allowed = [floor, ...(floors[floor] ?? [])];
    for (const { target, kind } of imports) {
      if (kind === 'type') continue;
      const where = target.startsWith('node:') ? 'node:' : target.startsWith('src/') ? floorOf(target) : target;
      if (allowed.includes(target) || (where !== undefined && allowed.includes(where))) continue;
      bad.push(`${[...(chains.get(path) ?? [path]), target].join(' → ')}: ${floor} may import ${allowed.slice(1).join(', ') || 'nothing'}`);
    }
  }
  return bad;
}

function findHeavyStart(graph: ImportGraph, entry: string): readonly string[] {
  return [...findChains(graph, [entry], ['value'])]
    .filter(([target]) => notAtStart.some((heavy) => target === heavy || target.startsWith(`${heavy}/`)))
    .map(([, chain]) => chain.join(' → '));
}

describe('the floors of src', () => {
  const entry = 'src/cli/main.ts';
  const graph = importGraph(readSources(isSource));

  it('import downwards only', () => {
    expect(graph.has(entry)).toBe(true);
    expect(findBadImports(graph, entry)).toEqual([]);
  });

  it('load nothing at the start that only some commands need', () => {
    expect(findHeavyStart(graph, entry)).toEqual([]);
  });

  const house = (files: Record<string, string>): ImportGraph => importGraph(new Map(Object.entries(files)));

  it('name the whole chain of an import that points up', () => {
    const files = {
      'src/cli/main.ts': `import { run } from '../controller/run.ts';`,
      'src/controller/run.ts': `import type { Plan } from '../reconcile/plan.ts';\nimport { start } from '../kube/start.ts';`,
      'src/kube/start.ts': `import {\n  cluster,\n} from '../testbed/cluster.ts';`,
      'src/testbed/cluster.ts': `import { spawn } from 'node:child_process';`,
    };
    expect(findBadImports(house(files), 'src/cli/main.ts')).toEqual([
      'src/cli/main.ts → src/controller/run.ts → src/kube/start.ts → src/testbed/cluster.ts: src/kube may import src/lib',
    ]);
  });

  it.each([
    { name: 'a package', text: `import { z } from 'zod';`, bad: ['src/lib/a.ts → zod: src/lib may import nothing'] },
    { name: 'a module of Node', text: `import { join } from 'node:path';`, bad: ['src/lib/a.ts → node:path: src/lib may import nothing'] },
    { name: 'a lazy import', text: `const { z } = await import('zod');`, bad: ['src/lib/a.ts → zod: src/lib may import nothing'] },
    { name: 'a re-export', text: `export * from '../kube/port.ts';`, bad: ['src/lib/a.ts → src/kube/port.ts: src/lib may import nothing'] },
    {
      name: 'an import for its effects',
      text: `import 'reflect-metadata';`,
      bad: ['src/lib/a.ts → reflect-metadata: src/lib may import nothing'],
    },
    { name: 'not a type', text: `import type { KubeApi } from '../kube/port.ts';`, bad: [] },
    { name: 'not a comment', text: `// import { z } from 'zod';\n/* import 'zod'; */`, bad: [] },
  ])('see $name', ({ text, bad }) => {
    expect(findBadImports(house({ 'src/lib/a.ts': text }), 'src/cli/main.ts')).toEqual(bad);
  });

  it('see a file that is on no floor', () => {
    expect(findBadImports(house({ 'src/attic/a.ts': '' }), 'src/cli/main.ts')).toEqual(['src/attic/a.ts: on no floor of the table']);
  });

  it('see what is loaded at the start and tell it from what is loaded lazily', () => {
    const files = { 'src/cli/main.ts': `import './dev.ts';`, 'src/cli/dev.ts': `import { up } from '../testbed/up.ts';` };
    expect(findHeavyStart(house(files), 'src/cli/main.ts')).toEqual(['src/cli/main.ts → src/cli/dev.ts → src/testbed/up.ts']);
    const lazily = { ...files, 'src/cli/dev.ts': `const { up } = await import('../testbed/up.ts');` };
    expect(findHeavyStart(house(lazily), 'src/cli/main.ts')).toEqual([]);
  });
});
