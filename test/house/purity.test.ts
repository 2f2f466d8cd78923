import { describe, expect, it } from 'vitest';
import { codeOnly, findImports, isSource, readSources, type Sources } from '../support/sources.ts';

interface Rule {
  readonly name: string;
  readonly holds: (path: string) => boolean;
  readonly forbidden: readonly RegExp[];
}

const rules: readonly Rule[] = [
  {
    name: 'what decides knows no clock, chance, promise or process',
    holds: (path) => path.startsWith('src/reconcile/plan/') || path.startsWith('src/api/'),
    forbidden: [
      /\bDate\.now\b/,
      /\bnew Date\(\s*\)/,
      /(?<!new )(?<!\.)\bDate\(/,
      /\bMath\.random\b/,
      /\bperformance\b/,
      /\bprocess\b(?!\s*:)/,
      // The word in a call of zod that asks for the synchronous answer is none.
      /\basync\b(?!: false)/,
      /\bawait\b/,
      /\bPromise\b/,
      /\bset(?:Timeout|Interval|Immediate)\b/,
      /\bqueueMicrotask\b/,
      /\bcrypto\b/,
      /\bconsole\b/,
    ],
  },
  {
    name: 'what a simulation must own takes time from the Clock port',
    holds: (path) => /^src\/(?:kube|reconcile|controller|operator)\//.test(path),
    forbidden: [
      /\bset(?:Timeout|Interval|Immediate)\b/,
      /\bAbortSignal\.timeout\b/,
      /\bDate\.now\b/,
      /\bnew Date\(\s*\)/,
      /\bperformance\.now\b/,
      /\bMath\.random\b/,
      /\bprocess\./,
    ],
  },
  {
    name: 'a simulation and what judges it take nothing from outside but a turn of the loop, in one place',
    holds: (path) => path.startsWith('src/sim/') || path.startsWith('src/oracle/'),
    forbidden: [
      /\bset(?:Timeout|Interval)\b/,
      /\bAbortSignal\.timeout\b/,
      /\bDate\.now\b/,
      /\bnew Date\(\s*\)/,
      /\bMath\.random\b/,
      /\bperformance\b/,
      // A simulated process is one too.
      /(?<![.?\w])process\.(?:env|argv|pid|cwd|hrtime|uptime|memoryUsage|on)\b/,
      /\bcrypto\b/,
    ],
  },
  {
    name: 'only the virtual clock waits for a turn of the loop',
    holds: (path) => /^src\/(?:sim|oracle)\//.test(path) && path !== 'src/sim/virtual-clock.ts',
    forbidden: [/\bsetImmediate\b/, /\bqueueMicrotask\b/, /\bnextTick\b/],
  },
];

/** One line per place, e.g. `src/api/a.ts:3: Math.random`. */
function findImpure(sources: Sources): readonly string[] {
  const found: string[] = [];
  for (const [path, text] of sources) {
    for (const { holds, forbidden } of rules) {
      if (!holds(path)) continue;
      for (const { target, kind } of findImports(path, text)) {
        if (kind !== 'type' && target.startsWith('node:')) found.push(`${path}: ${target}`);
      }
      for (const [index, line] of codeOnly(text).split('\n').entries()) {
        for (const pattern of forbidden) {
          const match = pattern.exec(line);
          if (match !== null) found.push(`${path}:${index + 1}: ${match[0].trim()}`);
        }
      }
    }
  }
  return [...new Set(found)];
}

describe('purity', () => {
  const sources = readSources(isSource);

  it.each(rules)('$name', ({ holds }) => {
    const held = new Map([...sources].filter(([path]) => holds(path)));
    expect(held.size).toBeGreaterThan(0);
    expect(findImpure(held)).toEqual([]);
  });

  const inPlan = 'src/reconcile/plan/a.ts';
  it.each([
    { path: inPlan, text: 'const now = Date.now();', found: 'Date.now' },
    { path: inPlan, text: 'const now = new Date();', found: 'new Date()' },
    { path: inPlan, text: `const now = \`at \${Date.now()}\`;`, found: 'Date.now' },
    { path: inPlan, text: 'const die = Math.random();', found: 'Math.random' },
    { path: inPlan, text: 'export async function plan() {}', found: 'async' },
    { path: inPlan, text: 'const later = Promise.resolve();', found: 'Promise' },
    { path: inPlan, text: 'const home = process.env.HOME;', found: 'process' },
    { path: 'src/api/v1/a.ts', text: 'console.log(1);', found: 'console' },
    { path: 'src/controller/a.ts', text: 'setTimeout(run, 5);', found: 'setTimeout' },
    { path: 'src/sim/a.ts', text: 'setImmediate(run);', found: 'setImmediate' },
    { path: 'src/sim/a.ts', text: 'process.nextTick(run);', found: 'nextTick' },
    { path: 'src/sim/a.ts', text: 'const now = Date.now();', found: 'Date.now' },
    { path: 'src/sim/a.ts', text: 'const home = process.env.HOME;', found: 'process.env' },
    { path: 'src/oracle/a.ts', text: 'const now = Date.now();', found: 'Date.now' },
    { path: 'src/oracle/a.ts', text: 'queueMicrotask(run);', found: 'queueMicrotask' },
    { path: 'src/operator/a.ts', text: 'setTimeout(run, 5);', found: 'setTimeout' },
    { path: 'src/kube/a.ts', text: 'const signal = AbortSignal.timeout(5);', found: 'AbortSignal.timeout' },
    { path: 'src/reconcile/a.ts', text: 'const t = performance.now();', found: 'performance.now' },
  ])('finds $found in $path: $text', ({ path, text, found }) => {
    expect(findImpure(new Map([[path, `// first line\n${text}`]]))).toContain(`${path}:2: ${found}`);
  });

  it('finds a module of Node', () => {
    expect(findImpure(new Map([[inPlan, `import { readFileSync } from 'node:fs';`]]))).toEqual([`${inPlan}: node:fs`]);
  });

  it.each([
    { name: 'a comment', text: '/** Resolves no Promise, asks no process. */ // await' },
    { name: 'the words of a string', text: `const message = 'await the process' + "Promise" + \`async \${name} console\`;` },
    { name: 'the words of a regular expression', text: 'const words = /process|"Promise/.test(text);' },
    { name: 'a time that was handed in', text: 'const day = new Date(nowMs).toISOString();' },
  ])('leaves $name alone', ({ text }) => {
    expect(findImpure(new Map([[inPlan, text]]))).toEqual([]);
  });
});
