import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { leaseName } from '../src/api/v1alpha1/naming.ts';
import { permissions } from '../src/reconcile/permissions.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const labels = { 'app.kubernetes.io/name': 'hourglass-operator', 'app.kubernetes.io/part-of': 'hourglass' };
const managerRole = 'hourglass-operator-manager-role';

/** What the operator may do, from the one table of what it does: each kind of role by its path from the project root. */
export function renderRoles(): ReadonlyMap<string, string> {
  return new Map([
    ['manifests/rbac/cluster-role.yaml', renderRole('ClusterRole', managerRole, rulesOf('watched', 'cluster'))],
    ['manifests/rbac/lease-role.yaml', renderRole('Role', 'hourglass-operator-leader-election-role', rulesOf('own'))],
    ['manifests/rbac-namespaced/role.yaml', renderRole('Role', managerRole, rulesOf('watched', 'own'))],
    ['manifests/node-reader/cluster-role.yaml', renderRole('ClusterRole', 'hourglass-operator-node-reader', rulesOf('cluster'))],
  ]);
}

function rulesOf(...scopes: readonly string[]): readonly Rule[] {
  return permissions
    .filter(({ scope }) => scopes.includes(scope))
    .flatMap(({ scope, group, resource, verbs }): Rule[] => {
      const target = { apiGroups: [group], resources: [resource] };
      if (scope !== 'own') return [{ ...target, verbs }];
      // What does not exist yet has no name to grant it by.
      return [
        { ...target, verbs: ['create'] },
        { ...target, resourceNames: [leaseName], verbs: verbs.filter((verb) => verb !== 'create') },
      ];
    });
}

function renderRole(kind: 'Role' | 'ClusterRole', name: string, rules: readonly Rule[]): string {
  const namespace = kind === 'Role' ? { namespace: 'hourglass-system' } : {};
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name, ...namespace, labels }, rules };
  return `# Generated from src/reconcile/permissions.ts by \`npm run generate\`; do not edit.\n${stringify(role, { aliasDuplicateObjects: false })}`;
}

/**
 * All that a kustomization gives, as one file. It reads `resources` alone: our bases change nothing of what they list.
 *
 * @param folder from the project root
 * @param read a file by its path from there
 */
export async function renderInstall(folder: string, read: (path: string) => Promise<string>): Promise<string> {
  const documents = await collect(folder, read);
  return `# Generated from ${folder} by \`npm run generate\`; do not edit.\n${documents.join('---\n')}`;
}

async function collect(folder: string, read: (path: string) => Promise<string>): Promise<readonly string[]> {
  const { resources, apiVersion: _version, kind: _kind, ...rest } = parse(await read(join(folder, 'kustomization.yaml')));
  if (Object.keys(rest).length > 0) throw new Error(`${folder}/kustomization.yaml: ${Object.keys(rest).join(', ')} would be left out`);
  const parts = (resources as string[]).map(async (name) =>
    name.endsWith('.yaml') ? [(await read(join(folder, name))).replace(/^# Generated .*\n/, '')] : collect(join(folder, name), read),
  );
  return (await Promise.all(parts)).flat();
}
