/** `npm run bench:client [-- --rounds N --pods N --json]`: our client beside client-node and client-go on one API server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMet } from '../src/bench/report.ts';
import { ensureClusterTools } from '../src/testbed/cluster-tools.ts';
import { createProgress } from '../src/testbed/progress.ts';
import { ensureTool, readVersions } from '../src/testbed/tools.ts';
import { buildCli } from './build.ts';
import { runClientBench } from './clients/client-bench.ts';
import { clientGoals, formatClientBench } from './clients/client-report.ts';

const usage = 'usage: npm run bench:client [-- --rounds 5 --pods 10000 --performers 100 --cold-runs 15 --json]';
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interrupted.abort(new Error(name)));

const options = readOptions();
if (options === undefined) process.exitCode = 2;
else process.exitCode = await bench(options);

function readOptions() {
  try {
    const count = { type: 'string' } as const;
    const { values } = parseArgs({
      options: {
        rounds: { ...count, default: '5' },
        pods: { ...count, default: '10000' },
        performers: { ...count, default: '100' },
        'cold-runs': { ...count, default: '15' },
        json: { type: 'boolean', default: false },
      },
    });
    const [rounds = 0, pods = 0, performers = 0, coldRuns = 0] = [values.rounds, values.pods, values.performers, values['cold-runs']].map(
      Number,
    );
    if (![rounds, pods, performers, coldRuns].every((value) => Number.isInteger(value) && value > 0))
      throw new Error('counts are 1 or more');
    return { rounds, pods, performers, coldRuns, json: values.json };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

/** 0: every target met; 3: one missed. */
async function bench({ json, ...counts }: NonNullable<ReturnType<typeof readOptions>>): Promise<number> {
  const report = createProgress(process.stderr);
  const machine = `${cpus()[0]?.model ?? 'CPU'}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)} at the start`;
  const dist = await mkdtemp(join(tmpdir(), 'hourglass-bench-'));
  try {
    await buildCli(dist);
    const tools = await ensureClusterTools('instant', report);
    const clientGo = await ensureTool('client-go', report);
    const cli = join(dist, 'hourglass.js');
    const { signal } = interrupted;
    const result = await runClientBench({ ...counts, cli, tools, clientGo, report, signal });
    const goals = clientGoals(result);
    const versions = { node: process.version, kubernetes: readVersions().kubernetes };
    if (json) console.log(JSON.stringify({ machine, versions, ...counts, goals, ...result }));
    else console.log(`${machine}; Node ${versions.node}, Kubernetes ${versions.kubernetes}\n\n${formatClientBench(result)}`);
    return goals.every(isMet) ? 0 : 3;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    console.error('interrupted; what was started is gone');
    return 130;
  } finally {
    await rm(dist, { recursive: true, force: true });
  }
}
