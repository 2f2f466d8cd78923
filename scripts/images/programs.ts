/** What is in the image of each program above its base, and how it is started. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Layer, LayerEntry } from '../../src/images/layer.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { ensureTool, readVersions } from '../../src/testbed/tools.ts';
import { buildCli, buildProgram } from '../build.ts';
import { keptLayer, libraryLayer, nodeLayer, rootEntries } from './base-layers.ts';
import { imageCache, writeWhole } from './download.ts';
import { ImageError } from './image-error.ts';
import { type Bundled, bundledPackages, licenceText } from './licences.ts';
import type { Architecture, Pins } from './pins.ts';
import { debianSoftware, nodeSoftware, type Software } from './software.ts';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** An image but for what its maker's options say. */
export interface Program {
  /** From the bottom up. The last one is the program's own, and takes the bill of materials. */
  readonly layers: readonly { readonly what: string; readonly entries: readonly LayerEntry[] | Layer }[];
  readonly entrypoint: readonly string[];
  /** Of what is not ours in the image. */
  readonly software: readonly Software[];
  readonly licence: string;
  readonly title: string;
  readonly labels: Readonly<Record<string, string>>;
}

type Make = (architecture: Architecture, pins: Pins, report: ProgressReporter) => Promise<Program>;

/** The images by their name after `hourglass-`; `base` is what a Dockerfile may start from. */
export const programs = { operator: makeOperator, 'test-performer': makePerformer, k6: makeK6, base: makeBase } as const satisfies Record<
  string,
  Make
>;
export type ProgramName = keyof typeof programs;

/** The image has no `env` that would look for Node. */
const nodeLine = '#!/usr/bin/node\n';
const onNode = (text: string): string => nodeLine + text.replace(/^#!.*\n/, '');

/** Where the bill of materials goes when a program is none of ours. */
const papersOnly = { what: 'papers', entries: [] };

/** What the scenarios for k6 load, where they look for it from where they stand. */
const scenarioFolders = ['k6/scenarios', 'k6/lib', 'proto/eigenlayer/hourglass/v1/performer'];
const scenarioFiles = ['src/bench/bench-lines.ts', 'src/bench/observer.ts', 'LICENSE'];

async function makeBase(...args: Parameters<Make>): Promise<Program> {
  const base = await makeNodeBase(...args);
  return { ...base, layers: [...base.layers, papersOnly] };
}

async function makeNodeBase(architecture: Architecture, pins: Pins, report: ProgressReporter): Promise<Program> {
  return {
    layers: [
      { what: 'libraries', entries: await libraryLayer(architecture, pins, report) },
      { what: 'node', entries: await nodeLayer(architecture, pins, report) },
    ],
    entrypoint: ['/usr/bin/node'],
    software: [...debianSoftware(pins, architecture), nodeSoftware(pins, architecture)],
    licence: 'MIT',
    title: 'Node and the libraries it needs',
    labels: {
      'io.eigenlayer.hourglass.node': pins.node.version,
      'io.eigenlayer.hourglass.debian': [
        pins.debian.release,
        ...pins.debian.packages.map(({ name, version }) => `${name}=${version}`),
      ].join(' '),
    },
  };
}

async function makeOperator(architecture: Architecture, pins: Pins, report: ProgressReporter): Promise<Program> {
  const base = await makeNodeBase(architecture, pins, report);
  report.step('Bundling the operator');
  const { files, bundled } = await bundle(async (dir) => {
    const { inputs } = await buildCli(dir);
    return inputs;
  });
  // V8's code is of one processor and one version of Node; with none it compiles at each start.
  const fits =
    process.platform === 'linux' && process.arch === architecture.replace('amd64', 'x64') && process.versions.node === pins.node.version;
  const entries = [...files]
    .filter(([path]) => fits || path !== 'core.cache')
    .map(([path, content]): LayerEntry => {
      const starts = path === 'hourglass.js';
      return { path: `app/${path}`, content: starts ? onNode(content.toString()) : content, mode: starts ? 0o755 : 0o644 };
    });
  return {
    ...base,
    layers: [
      ...base.layers,
      { what: 'program', entries: [...entries, { path: 'manager', linkTo: 'app/hourglass.js' }, ...papers('operator', bundled)] },
    ],
    entrypoint: ['/manager'],
    software: [...base.software, ...bundled],
    licence: 'Apache-2.0',
    title: 'Hourglass operator',
    labels: { ...base.labels, 'io.eigenlayer.hourglass.kept-code': String(fits) },
  };
}

/** The test performer, and beside it `/caller`, which calls performers from within the cluster. */
async function makePerformer(architecture: Architecture, pins: Pins, report: ProgressReporter): Promise<Program> {
  const base = await makeNodeBase(architecture, pins, report);
  report.step('Bundling the test performer');
  const entries = { performer: 'main.ts', caller: 'caller.ts' };
  const { files, bundled } = await bundle(async (dir) => {
    const build = (name: string, entry: string) => buildProgram(join(root, 'test', 'performer', entry), join(dir, `${name}.mjs`));
    const built = await Promise.all(Object.entries(entries).map(([name, entry]) => build(name, entry)));
    return Object.assign({}, ...built.map(({ inputs }) => inputs)) as (typeof built)[number]['inputs'];
  });
  const program = Object.keys(entries).flatMap((name): LayerEntry[] => [
    { path: `app/${name}.mjs`, content: onNode(String(files.get(`${name}.mjs`))), mode: 0o755 },
    { path: name, linkTo: `app/${name}.mjs` },
  ]);
  return {
    ...base,
    layers: [...base.layers, { what: 'program', entries: [...program, ...papers('test-performer', bundled)] }],
    entrypoint: ['/performer'],
    software: [...base.software, ...bundled],
    licence: 'Apache-2.0',
    title: 'Performer for tests of the Hourglass operator',
    labels: base.labels,
  };
}

async function makeK6(architecture: Architecture, _pins: Pins, report: ProgressReporter): Promise<Program> {
  const source = await ensureTool('k6', report, { imageFor: architecture });
  const facts = join(imageCache, `${basename(dirname(source))}-linked.json`);
  if (!existsSync(facts)) {
    report.step('Reading the licences of what k6 is made of');
    const linked = linkedModules(source, architecture);
    await writeWhole(facts, JSON.stringify({ software: linked.map((one) => ({ ...one, dir: undefined })), text: licenceText(linked) }));
  }
  const { software, text } = JSON.parse(await readFile(facts, 'utf8')) as { software: readonly Software[]; text: string };
  const layer = await keptLayer({ what: 'k6', slot: basename(dirname(source)), rootEntries, text }, async () => {
    report.step(`Packing k6 for ${architecture}`);
    return [...rootEntries, { path: 'usr/bin/k6', source, mode: 0o755 }, { path: 'usr/share/doc/k6/licenses.txt', content: text }];
  });
  const { k6: version } = readVersions();
  return {
    layers: [
      { what: 'k6', entries: layer },
      { what: 'scenarios', entries: scenarioEntries() },
    ],
    entrypoint: ['/usr/bin/k6'],
    software,
    licence: 'AGPL-3.0-only AND Apache-2.0',
    title: `k6 ${version}, as its makers published its source, and the scenarios of the Hourglass operator`,
    labels: { 'io.eigenlayer.hourglass.k6': version },
  };
}

function scenarioEntries(): readonly LayerEntry[] {
  const inFolders = scenarioFolders.flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`));
  return [...inFolders, ...scenarioFiles].map((path) => ({ path: `hourglass/${path}`, content: readFileSync(join(root, path)) }));
}

/** Makes a bundle in a folder of its own, and takes it from there. */
async function bundle(make: (dir: string) => Promise<Parameters<typeof bundledPackages>[1]['inputs']>): Promise<{
  readonly files: ReadonlyMap<string, Buffer>;
  readonly bundled: readonly Bundled[];
}> {
  const dir = mkdtempSync(join(tmpdir(), 'hourglass-bundle-'));
  try {
    const bundled = bundledPackages(root, { inputs: await make(dir) });
    const paths = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    const files = paths.map(({ parentPath, name }): [string, Buffer] => [
      relative(dir, join(parentPath, name)),
      readFileSync(join(parentPath, name)),
    ]);
    return { files: new Map(files), bundled };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The licences of a program and of all that is bundled with it. */
function papers(name: ProgramName, bundled: readonly Bundled[]): readonly LayerEntry[] {
  const folder = `usr/share/doc/hourglass-${name}`;
  return [
    { path: `${folder}/LICENSE`, content: readFileSync(join(root, 'LICENSE')) },
    { path: `${folder}/third-party-licenses.txt`, content: licenceText(bundled) },
  ];
}

/** The Go modules that a program was linked from, itself and Go first. */
function linkedModules(program: string, architecture: Architecture): readonly Bundled[] {
  const go = (...args: readonly string[]): string =>
    execFileSync('go', args, {
      cwd: join(root, 'tools', 'k6'),
      env: { ...process.env, GOOS: 'linux', GOARCH: architecture },
      encoding: 'utf8',
      maxBuffer: 64e6,
    });
  const format = '{{with .Module}}{{.Path}} {{.Dir}}{{end}}';
  const dirs = new Map(
    go('list', '-mod=readonly', '-deps', '-f', format, 'go.k6.io/k6/v2')
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  const said = go('version', '-m', program);
  const [, goVersion = ''] = /: (?:devel )?go(\S+)/.exec(said) ?? [];
  const modules = [...said.matchAll(/^\t(?:mod|dep)\t(\S+)\t(\S+)/gm)].map(([, name = '', version = '']) => {
    const dir = dirs.get(name);
    if (dir === undefined)
      throw new ImageError(`k6 for ${architecture}: no folder of module ${name} is known, whose licence is to go with it`);
    return { name, version, dir };
  });
  const all = [{ name: 'stdlib', version: goVersion, dir: go('env', 'GOROOT').trim(), licence: 'BSD-3-Clause' }, ...modules];
  return all.map((one) => ({ ...one, purl: `pkg:golang/${one.name}@${one.version}` }));
}
