import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { parseAllDocuments, stringify } from 'yaml';
import type { ChaosReport, ChaosRun } from '../../chaos/report.ts';
import { nameBound } from '../../chaos/verdict.ts';
import { leaseName } from '../../src/api/v1alpha1/naming.ts';
import { type KnownBad, mutants } from '../../test/simulation/known-bad/mutants.ts';
import { buildCli } from '../build.ts';
import { projectRoot } from '../generate.ts';

/** Which faults on real nodes a known-bad operator of the simulation cannot hide from, in this order. */
export const caughtBy: Readonly<Record<string, readonly string[]>> = {
  'lost-pod-kept': ['C7'],
  'lost-pod-deleted-at-once': ['C7'],
  'name-of-a-corpse': ['C1b'],
  'deletion-unseen': ['C14a'],
  'service-made-once': ['C14a'],
  'service-drift-unseen': ['C14b'],
  'merge-patch-keeps-strangers': ['C14b'],
  // What it lost with the API server shows when there is something to do.
  'reflector-ends': ['C12a', 'C1'],
};

/** @throws Error for a name that is none */
export function findBad(name: string): KnownBad {
  const bad = mutants.find((one) => one.name === name);
  if (bad === undefined) throw new Error(`no known-bad operator is called ${name}; known here: ${Object.keys(caughtBy).join(', ')}`);
  return bad;
}

/** Builds it into `dir`, with the manifest that installs it and the file by which `hourglass chaos --subject` takes it. @returns that file */
export async function makeSubject(bad: KnownBad, dir: string): Promise<string> {
  const app = join(dir, 'app');
  await mkdir(app, { recursive: true });
  await buildCli(app, [rewriting(bad)]);
  const manifest = readFileSync(join(projectRoot, 'manifests/install-watch.yaml'), 'utf8');
  await writeFile(join(dir, 'operator.yaml'), fromFolder(manifest, app));
  const file = join(dir, 'chaos.yaml');
  const namespace = 'hourglass-system';
  const adapter = {
    manifests: ['operator.yaml'],
    deployment: `${namespace}/hourglass-operator`,
    lease: `${namespace}/${leaseName}`,
    judged: true,
  };
  await writeFile(file, stringify(adapter));
  return file;
}

/** @throws Error, in the build, when the code has changed so that the change does not fit any more */
function rewriting({ name, file, find, replace }: KnownBad): Plugin {
  return {
    name: 'known-bad',
    setup: (bundler) => {
      let met = false;
      bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== join(projectRoot, 'src', file)) return undefined;
        met = true;
        const source = readFileSync(path, 'utf8');
        if (source.split(find).length !== 2) throw new Error(`known-bad ${name}: what it changes does not stand once in src/${file}`);
        return { contents: source.replace(find, () => replace), loader: 'ts' };
      });
      bundler.onEnd(() => {
        if (!met) throw new Error(`known-bad ${name}: src/${file} is in no bundle`);
      });
    },
  };
}

/** A machine that was busy makes things late, not by so much. */
const surelyLate = 2;

type Runs = Pick<ChaosReport, 'runs'>;

/** What speaks against an operator, by experiment, whichever Performer it met, with the evidence. Pure. */
export function againstIt({ runs }: Runs): ReadonlyMap<string, string> {
  const fails = runs.flatMap(({ id, findings }) => findings.filter(({ says }) => says === 'fails').map((one) => ({ id, ...one })));
  return new Map(fails.map(({ id, what, detail }) => [`${id} ${what.replace(/ \S+\/\S+$/, '')}`, detail]));
}

/**
 * What catches a known-bad one: all that speaks against it and not against the real one, too. What came late counts only from twice the time
 * that it had on, or when it never came. Pure.
 */
export function caughtIn({ runs }: Runs, real: Runs): ReadonlyMap<string, string> {
  const surely = runs.map((run) => ({ ...run, findings: run.findings.filter(({ what }) => !isBarelyLate(run, what)) }));
  const speaksAgainstReal = againstIt(real);
  return new Map([...againstIt({ runs: surely })].filter(([what]) => !speaksAgainstReal.has(what)));
}

function isBarelyLate({ goals }: ChaosRun, what: string): boolean {
  const bound = goals.find((one) => nameBound(one) === what);
  return bound?.timed === true && bound.measured !== undefined && bound.measured < surelyLate * bound.atMost;
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { labels?: Record<string, string> };
  readonly spec?: { readonly template?: { readonly spec: Record<string, unknown> & { readonly containers: Record<string, unknown>[] } } };
}

/** The operator's manifest, with its program from a folder of this machine, which is every node's, in the place of the image's. Pure. */
export function fromFolder(manifest: string, folder: string): string {
  const objects = parseAllDocuments(manifest).map((document) => document.toJS() as Manifest);
  for (const { kind, metadata, spec } of objects) {
    // Folders of the machine are for pods that may do anything.
    if (kind === 'Namespace') metadata.labels = { ...metadata.labels, 'pod-security.kubernetes.io/enforce': 'privileged' };
    const pod = spec?.template?.spec;
    if (kind !== 'Deployment' || pod === undefined) continue;
    pod.volumes = [{ name: 'program', hostPath: { path: folder, type: 'Directory' } }];
    for (const container of pod.containers) {
      container.command = ['/usr/bin/node', '/app/hourglass.js'];
      container.volumeMounts = [{ name: 'program', mountPath: '/app', readOnly: true }];
    }
  }
  return objects.map((object) => stringify(object)).join('---\n');
}
