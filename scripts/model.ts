/** `npm run model -- [--sequences 2000 --seed 1 --length 12 --width 32 --json]`: the memory cluster beside a real API server, step by step. */
import { parseArgs } from 'node:util';
import { ensureClusterTools } from '../src/testbed/cluster-tools.ts';
import { createProgress } from '../src/testbed/progress.ts';
import { compareModel } from '../test/model/compare-model.ts';
import { formatFinding } from '../test/model/story.ts';

const usage = 'usage: npm run model -- [--sequences 2000 --seed 1 --length 12 --width 32 --enough 20 --json]';
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interrupted.abort(new Error(name)));

const options = readOptions();
process.exitCode = options === undefined ? 2 : await run(options);

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        sequences: { type: 'string', default: '2000' },
        seed: { type: 'string', default: '1' },
        length: { type: 'string', default: '12' },
        width: { type: 'string', default: '32' },
        enough: { type: 'string', default: '20' },
        kubeconfig: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const [sequences, seed, length, width, enough] = [values.sequences, values.seed, values.length, values.width, values.enough].map(
      Number,
    ) as [number, number, number, number, number];
    if (![sequences, seed, length, width, enough].every((one) => Number.isInteger(one) && one > 0))
      throw new Error('all numbers are whole and above 0');
    return { sequences, seed, length, width, enough, json: values.json, kubeconfig: values.kubeconfig };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

/** 0: no difference; 3: some; 130: interrupted. */
async function run({ json, ...chosen }: NonNullable<ReturnType<typeof readOptions>>): Promise<number> {
  const report = createProgress(process.stderr);
  const tools = await ensureClusterTools('instant', report);
  const startedMs = performance.now();
  let toldMs = startedMs;
  const progress = (done: number, findings: number): void => {
    if (performance.now() - toldMs < 5_000) return;
    toldMs = performance.now();
    console.error(`${Math.round((toldMs - startedMs) / 1_000)} s  ${done} of ${chosen.sequences} sequences, ${findings} differences`);
  };
  const result = await compareModel({ ...chosen, tools, report, signal: interrupted.signal, progress });
  if (json) console.log(JSON.stringify(result));
  else for (const finding of result.findings) console.log(`${formatFinding(finding)}\n`);
  for (const finding of result.unsteady) console.error(`not seen again: ${formatFinding(finding)}\n`);
  for (const [id, times] of Object.entries(result.exceptions)) console.error(`exception ${id}: ${times} sequences`);
  console.error(`${result.seconds.toFixed(1)} s`);
  console.log(
    `${result.sequences} sequences, ${result.operations} operations, ${result.findings.length} differences, ${Object.keys(result.exceptions).length} exceptions used`,
  );
  if (interrupted.signal.aborted) return 130;
  return result.findings.length === 0 ? 0 : 3;
}
