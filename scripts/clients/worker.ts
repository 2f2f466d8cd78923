/**
 * The process of one client in Node: one task, its figures as one line of JSON on standard output, as `tools/client-go` does it.
 * Run with `--expose-gc`.
 */
import { parseArgs } from 'node:util';
import type { TaskResult } from './client-report.ts';
import { openSubject, type Subject, type SubjectName } from './subjects.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    subject: text,
    kubeconfig: text,
    server: text,
    task: { ...text, default: 'get' },
    namespace: { ...text, default: 'default' },
    name: { ...text, default: '' },
    warmup: { ...text, default: '100' },
    calls: { ...text, default: '1000' },
    'for-ms': { ...text, default: '10000' },
    'in-flight': { ...text, default: '1' },
  },
});
const subject = await openSubject(values.subject as SubjectName, values.kubeconfig ?? '', values.server);
const measured = values.task === 'cache' ? await fillCache(subject) : await callOften(subject);
process.stdout.write(`${JSON.stringify(measured)}\n`, () => process.exit(0));

async function callOften(subject: Subject): Promise<TaskResult> {
  const forMs = Number(values['for-ms']);
  await runCalls(subject, Number(values.warmup), forMs);
  return runCalls(subject, Number(values.calls), forMs);
}

async function runCalls(subject: Subject, count: number, forMs: number): Promise<TaskResult> {
  const key = { namespace: values.namespace, name: values.name };
  const latencyMs: number[] = [];
  const startedMs = performance.now();
  const before = process.cpuUsage();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count && performance.now() - startedMs < forMs) {
      next += 1;
      const begunMs = performance.now();
      await subject.get(key);
      latencyMs.push(performance.now() - begunMs);
    }
  };
  await Promise.all(Array.from({ length: Number(values['in-flight']) }, work));
  return { calls: latencyMs.length, ...spentSince(before, startedMs), latencyMs };
}

async function fillCache(subject: Subject): Promise<TaskResult> {
  // What a first connection and first-used code cost is no part of the cache.
  await subject.get({ namespace: values.namespace, name: values.name });
  const memoryBefore = collected();
  const startedMs = performance.now();
  const before = process.cpuUsage();
  const count = await subject.fill(values.namespace);
  const spent = spentSince(before, startedMs);
  const memoryAfter = collected();
  const [heapBytes, rssBytes] = [memoryAfter.heap - memoryBefore.heap, memoryAfter.rss - memoryBefore.rss];
  return { ...spent, objects: count(), heapBytes, rssBytes };
}

function spentSince(before: NodeJS.CpuUsage, startedMs: number): { readonly cpuMs: number; readonly wallMs: number } {
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1_000, wallMs: performance.now() - startedMs };
}

/** What is in use after a full collection, in bytes. */
function collected(): { readonly heap: number; readonly rss: number } {
  for (let turn = 0; turn < 3; turn += 1) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}
