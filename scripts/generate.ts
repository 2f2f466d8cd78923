import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { renderCrdYaml } from '../src/api/crd/performer-crd-yaml.ts';
import { permissions } from '../src/reconcile/permissions.ts';
import { renderApiReference } from './api-reference.ts';
import { renderConditions, renderEvents } from './condition-reference.ts';
import { renderGrpcCode } from './grpc-code.ts';
import { renderSimulationIds } from './simulation-reference.ts';
import { renderSpecShape } from './spec-shape.ts';

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Every file that is generated, by its path from the project root. Computes, writes nothing. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['manifests/crd/hourglass.eigenlayer.io_performers.yaml', renderCrdYaml()],
    ['docs/api.md', renderApiReference(await readSamples())],
    ['docs/conditions.md', renderConditions()],
    ['docs/events.md', renderEvents()],
    ['docs/simulation-ids.md', renderSimulationIds()],
    ['src/api/gen/spec-shape.ts', renderSpecShape()],
    ['manifests/rbac/cluster-role.yaml', renderClusterRoleYaml()],
    ...(await renderGrpcCode(projectRoot)),
  ]);
}

/** The sample Performers, by their path from the project root. */
async function readSamples(): Promise<ReadonlyMap<string, string>> {
  const paths = globSync('manifests/samples/**/*.yaml', { cwd: projectRoot }).toSorted();
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(join(projectRoot, path), 'utf8')] as const)));
}

/** What the operator may do, from the one table of what it does. */
function renderClusterRoleYaml(): string {
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'hourglass-operator-manager-role' },
    rules: permissions.map(({ group, resource, verbs }) => ({ apiGroups: [group], resources: [resource], verbs })),
  };
  return `# Generated from src/reconcile/permissions.ts by \`npm run generate\`; do not edit.\n${stringify(role)}`;
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
