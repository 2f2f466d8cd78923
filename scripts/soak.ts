/**
 * `npm run soak [-- --minutes 30 --seed 7 --out DIR --json]`: our reflectors and client-node's informers under faults, side by side.
 * `npm run soak -- --settled [--minutes 10]`: what a `watch` asks of the API server while nothing changes.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderSvg } from '../src/bench/chart.ts';
import { formatGoals, isMet } from '../src/bench/report.ts';
import { ensureClusterTools } from '../src/testbed/cluster-tools.ts';
import { createProgress } from '../src/testbed/progress.ts';
import { runSettled, settledGoals } from '../test/soak/settled.ts';
import { runSoak } from '../test/soak/soak.ts';
import { formatSoak, soakChart, soakGoals } from '../test/soak/soak-report.ts';

const usage = 'usage: npm run soak [-- --minutes 30 --seed 7 --out DIR --json]  or  -- --settled [--minutes 10 --performers 20 --json]';
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => interrupted.abort(new Error(name)));

type Options = NonNullable<ReturnType<typeof readOptions>>;
const options = readOptions();
process.exitCode = options === undefined ? 2 : await run(options);

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string' },
        seed: { type: 'string', default: '7' },
        out: { type: 'string' },
        performers: { type: 'string', default: '20' },
        settled: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const minutes = Number(values.minutes ?? (values.settled ? 10 : 30));
    const [seed, performers] = [Number(values.seed), Number(values.performers)];
    if (!(minutes > 0) || !Number.isInteger(seed) || !(performers > 0))
      throw new Error('minutes, seed and performers are positive numbers');
    return { ...values, minutes, seed, performers };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

/** 0: every target met; 3: one missed; 130: interrupted. */
async function run(chosen: Options): Promise<number> {
  try {
    return chosen.settled ? await settled(chosen) : await soak(chosen);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    console.error('interrupted; what was started is gone');
    return 130;
  }
}

async function soak({ minutes, seed, out, json }: Options): Promise<number> {
  const report = createProgress(process.stderr);
  const tools = await ensureClusterTools('instant', report);
  const progress = (line: string): void => console.error(line);
  const result = await runSoak({ tools, report, minutes, seed, signal: interrupted.signal, progress });
  const goals = soakGoals(result);
  const text = formatSoak(result);
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    await writeFile(join(out, 'soak.txt'), `${text}\n`);
    await writeFile(join(out, 'soak.json'), JSON.stringify(result));
    await writeFile(join(out, 'soak.svg'), await renderSvg(soakChart(result)));
    console.error(`written: ${['txt', 'json', 'svg'].map((ending) => join(out, `soak.${ending}`)).join(', ')}`);
  }
  // The recordings are megabytes; whoever wants them takes the file.
  const brief = { ...result, goals, sides: result.sides.map(({ recording: _recording, ...side }) => side) };
  console.log(json ? JSON.stringify(brief) : text);
  return goals.every(isMet) ? 0 : 3;
}

async function settled({ minutes, performers, json }: Options): Promise<number> {
  const report = createProgress(process.stderr);
  const result = await runSettled({
    tools: await ensureClusterTools('instant', report),
    report,
    minutes,
    performers,
    signal: interrupted.signal,
  });
  const goals = settledGoals(result);
  console.log(json ? JSON.stringify({ ...result, goals }) : `${JSON.stringify(result.calls, null, 2)}\n\n${formatGoals(goals)}`);
  return goals.every(isMet) ? 0 : 3;
}
