/**
 * `npm run bench:scale [-- --performers 1000 --performers 100000 --shards 1 --shards 4 --changes 100 --storm 1000 --rest 60 --out FILE]`: the operator as it
 * ships in front of an API server that makes up settled Performers; what it takes to hold them, and how long a change waits among them.
 * `docs/scale.md` is made from its FILE.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fitLine } from '../src/bench/intervals.ts';
import { formatFigure, formatTable } from '../src/bench/report.ts';
import { median, quantile } from '../src/bench/statistics.ts';
import { ensureClusterTools } from '../src/testbed/cluster-tools.ts';
import { createProgress } from '../src/testbed/progress.ts';
import { buildCli } from './build.ts';
import { measureScale, type ScalePoint } from './scale/measure.ts';
import { recordSettled } from './scale/settled.ts';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort(new Error(name)));

const figures: readonly (readonly [name: string, unit: string, of: (point: ScalePoint) => number])[] = [
  ['until all is cached', 's', ({ syncMs }) => syncMs / 1_000],
  ['CPU of that, each object', 'µs', ({ syncCpuMs, performers }) => (syncCpuMs * 1_000) / performers / 3],
  ['until each was looked at', 's', ({ firstPassMs }) => firstPassMs / 1_000],
  ['CPU of that, each Performer', 'µs', ({ firstPassCpuMs, performers }) => (firstPassCpuMs * 1_000) / performers],
  ['RSS at rest', 'MiB', ({ rssBytes }) => rssBytes / 1024 ** 2],
  ['peak RSS', 'MiB', ({ peakRssBytes }) => peakRssBytes / 1024 ** 2],
  ['needless writes', '', ({ needlessWrites }) => needlessWrites],
  ['change to first write, p50', 'ms', ({ delaysMs }) => median(delaysMs)],
  [
    'change to first write, p99',
    'ms',
    ({ delaysMs }) =>
      quantile(
        delaysMs.toSorted((a, b) => a - b),
        0.99,
      ),
  ],
  ['the same of all at once, p50', 'ms', ({ stormDelaysMs }) => median(stormDelaysMs)],
  ['the same of all at once, last', 'ms', ({ stormDelaysMs }) => Math.max(...stormDelaysMs)],
];

const options = readOptions();
process.exitCode = options === undefined ? 2 : await bench(options);

function readOptions() {
  const count = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      options: {
        performers: { ...count, multiple: true, default: ['1000', '10000', '100000'] },
        shards: { ...count, multiple: true, default: ['1'] },
        changes: { ...count, default: '100' },
        storm: { ...count, default: '1000' },
        rest: { ...count, default: '60' },
        out: count,
      },
    });
    const performers = values.performers.map(Number);
    const shards = values.shards.map(Number);
    const [changes = 0, storm = 0, rest = 0] = [values.changes, values.storm, values.rest].map(Number);
    if (![...performers, ...shards, changes, storm, rest].every((value) => Number.isInteger(value) && value > 0))
      throw new Error('counts are 1 or more');
    // A shard has its part of them, more or less.
    const least = 2 * Math.max(changes, storm) * (Math.max(...shards) === 1 ? 1 : 1.2 * Math.max(...shards));
    if (performers.some((one) => one < least)) throw new Error('--performers: at least twice --changes and --storm, for each shard');
    return { performers, shards, changes, storm, restMs: rest * 1_000, out: values.out };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

async function bench({ performers, shards, out, ...rest }: NonNullable<ReturnType<typeof readOptions>>): Promise<number> {
  const report = createProgress(process.stderr);
  const { signal } = interrupted;
  const scratch = await mkdtemp(join(tmpdir(), 'hourglass-scale-'));
  const points: ScalePoint[] = [];
  try {
    const cli = join(scratch, 'dist', 'hourglass.js');
    await buildCli(join(scratch, 'dist'));
    const tools = await ensureClusterTools('instant', report);
    const settledPath = join(scratch, 'settled.json');
    await writeFile(settledPath, JSON.stringify(await recordSettled(cli, tools, report, signal)));
    const sizes = performers.flatMap((one) => shards.map((count) => ({ performers: one, shards: count })));
    for (const size of sizes) {
      const title = titleOf(size);
      report.step(title);
      const update = (text: string): void => report.update(text);
      points.push(await measureScale({ ...rest, ...size, cli, settledPath, scratch, signal, update }));
      report.done(title);
    }
  } catch (error) {
    report.warn(signal.aborted ? 'interrupted; what was started is gone' : String(error instanceof Error ? error.message : error));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'CPU'}, Node ${process.version}`;
  const isWhole = points.length === performers.length * shards.length;
  // What a whole run has left there is worth more than a part of one.
  if (out !== undefined && isWhole) await writeFile(out, `${JSON.stringify({ machine, ...rest, points })}\n`);
  const lines = shards.map((count) => points.filter((point) => point.shards === count)).filter(({ length }) => length >= 3);
  const slopeTitle = (count: number | undefined): string => `per 100,000 more${count === 1 ? '' : `, of ${count} shards`}`;
  const head = ['', '', ...points.map(titleOf), ...lines.map(([first]) => slopeTitle(first?.shards))];
  const rows = figures.map(([name, unit, of]) => {
    const slopes = lines.map(
      (line) =>
        fitLine(
          line.map((point) => [point.performers, of(point)] as const),
          0.99,
        ).slope * 100_000,
    );
    return [name, unit, ...points.map((point) => formatFigure(of(point))), ...slopes.map(formatFigure)];
  });
  console.log(`${machine}; ${rest.changes} changes one by one, ${rest.storm} at once\n\n${formatTable(head, rows)}`);
  if (out !== undefined && !isWhole) report.warn(`${out} was left as it is: not all was measured`);
  return isWhole ? 0 : 1;
}

function titleOf({ performers, shards }: Pick<ScalePoint, 'performers' | 'shards'>): string {
  return `${formatFigure(performers)} Performers${shards === 1 ? '' : `, 1 of ${formatFigure(shards)} shards`}`;
}
