import { formatFigure } from '../src/bench/report.ts';
import { markdownTable } from './markdown-table.ts';
import { bytesOfShard, fewestShards, fitScale, measuredTo, mostWithin, type ScaleReport, startMsOfShard } from './scale/cost.ts';

/** Where the figures come from, from the project root. */
export const scaleReportPath = 'docs/results/scale.json';

const mebibyte = 1024 ** 2;
const million = 1_000_000;
const shardCounts = [1, 2, 4, 8, 16];
const performerCounts = [10_000, 30_000, 100_000, 300_000, million];
/** The first is what the manifests allow; Node's own heap ends at 4 GiB unless it is told. */
const limitsMiB = [512, 1_024, 2_048, 4_096];

const mib = (bytes: number): string => `${formatFigure(bytes / mebibyte)} MiB`;
const gib = (bytes: number): string => `${formatFigure(bytes / 1024 ** 3)} GiB`;

/** `docs/scale.md`: what one operator holds, when shards pay, what a million Performers cost. Pure. */
export function renderScalePage(report: ScaleReport): string {
  const model = fitScale(report);
  const { readMs, looks } = model;
  const [fewest, most] = [looks[0], looks.at(-1)].map((look) =>
    look === undefined ? '' : `${formatFigure((1_000 * look[1]) / look[0])} µs for each of ${formatFigure(look[0])}`,
  );
  const startMs = startMsOfShard(model, million, 1);
  const last = measuredTo(model);
  const beyond = (own: number): string => (own > last ? ' ¹' : '');
  const seconds = (ms: number | undefined): string => (ms === undefined ? '–' : `${formatFigure(ms / 1_000)} s`);
  const measured = report.points.map(({ performers, shards, rssBytes, syncCpuMs, firstPassCpuMs }) => [
    formatFigure(performers),
    shards === 1 ? 'all' : `1 of ${formatFigure(shards)} shards`,
    mib(rssBytes),
    seconds(syncCpuMs),
    seconds(firstPassCpuMs),
  ]);
  const held = performerCounts.map((performers) => [
    formatFigure(performers),
    ...shardCounts.map((shards) => `${mib(bytesOfShard(model, performers, shards))}${beyond(performers / shards)}`),
  ]);
  const within = limitsMiB.map((limit) => {
    const most = mostWithin(model, limit * mebibyte);
    return [mib(limit * mebibyte), `${formatFigure(most)}${beyond(most)}`, formatFigure(fewestShards(model, million, limit * mebibyte))];
  });
  const perMillion = shardCounts.map((shards) => [
    formatFigure(shards),
    gib(shards * bytesOfShard(model, million, shards)),
    gib(2 * shards * bytesOfShard(model, million, shards)),
    seconds(startMsOfShard(model, million, shards)),
  ]);
  return `# Scale

<!-- Generated from ${scaleReportPath} by \`npm run generate\`; do not edit. -->

What one operator holds, from where on [shards](deploy.md#shards) pay, and what a million Performers cost: a model, drawn through what was measured. Settled Performers of one pod each, their Services, no others. To measure anew, on a machine that does nothing else:

\`\`\`sh testbed
npm run bench:scale -- --performers 10000 --performers 100000 --performers 1000000 --shards 1 --shards 4 --out ${scaleReportPath}
npm run generate
\`\`\`

## Measured

${report.machine}. ${report.note ?? 'Each size once.'}

${markdownTable(['Performers', 'operator of', 'resident memory at rest', 'CPU until all is cached', 'CPU until each was looked at'], measured)}

## The model

- **Memory** of a process goes by how many Performers are its own: straight lines from each size that was measured to the next, of the fewest for fewer, and drawn on beyond ${formatFigure(last)} (¹). What belongs to other shards is dropped as it is read. Not in it: the peak while a list passes through that is no watch-list, and new objects in bursts.
- **Reading** is not divided: each shard decodes every event of the cluster${readMs === undefined ? '' : `, ${formatFigure(readMs * 1_000)} µs of CPU for one Performer with its pod and Service`}. **Looking** is: ${looks.length === 0 ? 'what it costs was not measured yet' : `${fewest}, ${most}, and straight lines as for memory`}. What a shard need not keep it reads more cheaply than this counts.
- **Writing** is bound by the API server, long before the operator ([benchmarks](benchmarks.md)): shards make no new Performer sooner.

## Memory of one process

${markdownTable(['Performers', ...shardCounts.map((shards) => (shards === 1 ? 'one operator' : `${shards} shards`))], held)}

## When shards pay

For **memory**, once one process does not hold all:

${markdownTable(['limit of a container', 'Performers one process holds', 'shards for a million'], within)}

The manifests set a limit of ${mib(512 * mebibyte)}; to raise it is simpler than shards, up to some 4 GiB, where Node's own heap ends (\`--max-old-space-size\`, beside what \`NODE_OPTIONS\` holds in the Deployment, moves that). The least a process was seen to take here is ${mib(bytesOfShard(model, 0, 1))}, for each replica of each shard; each that leads writes two Leases.

For **time**, once a start, or a change of everything, takes longer than one may wait: shards divide the looking, and not the reading.${readMs === undefined || startMs === undefined ? ' From where on was not measured yet.' : ` The most they can save of that of a million is ${formatFigure(100 * (1 - (million * readMs) / startMs))} %, however many there are.`}

For **blast radius**, at any size: of a shard that fails only its own Performers wait.

## A million Performers

${markdownTable(['shards', 'memory, one replica each', 'memory, two replicas each', 'CPU of a start, per process'], perMillion)}

Drawn on from what was measured, and for the operator alone; what its objects cost etcd and the API server is theirs, and the same however many shards there are.
`;
}
