import { existsSync, globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { renderChaosFiles } from '../chaos/rendered-files.ts';
import { renderCrdYaml } from '../src/api/crd/performer-crd-yaml.ts';
import type { BenchReport } from '../src/bench/bench-report.ts';
import { parseBenchReport } from '../src/bench/read-report.ts';
import { renderApiReference } from './api-reference.ts';
import { benchReportPaths, renderBenchPage } from './bench-page.ts';
import { renderConditions, renderEvents } from './condition-reference.ts';
import { renderGrpcCode } from './grpc-code.ts';
import { renderInstall, renderRoles } from './manifests.ts';
import { parseScaleReport } from './scale/cost.ts';
import { renderScalePage, scaleReportPath } from './scale-page.ts';
import { renderSimulationIds } from './simulation-reference.ts';
import { renderSpecShape } from './spec-shape.ts';

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Every file that is generated, by its path from the project root. Computes, writes nothing. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const manifests = new Map([['manifests/crd/hourglass.eigenlayer.io_performers.yaml', renderCrdYaml()], ...renderRoles()]);
  const read = async (path: string): Promise<string> => manifests.get(path) ?? readFile(join(projectRoot, path), 'utf8');
  return new Map([
    ...manifests,
    ['manifests/install-watch.yaml', await renderInstall('manifests/all', read)],
    ['manifests/install-once.yaml', await renderInstall('manifests/all-once', read)],
    ['docs/api.md', renderApiReference(await readSamples())],
    ['docs/conditions.md', renderConditions()],
    ['docs/events.md', renderEvents()],
    ['docs/simulation-ids.md', renderSimulationIds()],
    ['docs/results/bench.md', await renderBench()],
    ['docs/scale.md', renderScalePage(parseScaleReport(await read(scaleReportPath)))],
    ...renderChaosFiles(),
    ['src/api/gen/spec-shape.ts', renderSpecShape()],
    ...(await renderGrpcCode(projectRoot)),
  ]);
}

async function renderBench(): Promise<string> {
  const readReport = async (path: string): Promise<BenchReport> =>
    parseBenchReport(gunzipSync(await readFile(join(projectRoot, path))).toString(), path);
  const { full, scale } = benchReportPaths;
  return renderBenchPage({
    full: await readReport(full),
    scale: existsSync(join(projectRoot, scale)) ? await readReport(scale) : undefined,
  });
}

/** The sample Performers, by their path from the project root. */
async function readSamples(): Promise<ReadonlyMap<string, string>> {
  const paths = globSync('manifests/samples/**/*.yaml', { cwd: projectRoot }).toSorted();
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(join(projectRoot, path), 'utf8')] as const)));
}

async function generate(): Promise<void> {
  for (const [path, content] of await generatedFiles()) {
    const target = join(projectRoot, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
    console.log(path);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await generate();
