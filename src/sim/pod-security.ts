import type { Pod } from '../kube/objects.ts';

type Container = NonNullable<Pod['spec']>['containers'][number];

/** Of a namespace: the level its pods must keep to. */
export const enforceLabel = 'pod-security.kubernetes.io/enforce';
const baselineCapabilities = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];
const restrictedVolumes = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret'];

/**
 * What Pod Security admission says against a pod in a namespace with such labels, in its words; undefined where it lets it in. Pure.
 * A stub: what pods of an operator can trip over. Left out: sysctls, SELinux, AppArmor, procMount, Windows.
 */
export function podSecurityRefusal(labels: Readonly<Record<string, string>> | undefined, pod: Pod): string | undefined {
  const level = labels?.[enforceLabel];
  if (level !== 'baseline' && level !== 'restricted') return undefined;
  const found = [...baselineViolations(pod), ...(level === 'restricted' ? restrictedViolations(pod) : [])];
  return found.length === 0 ? undefined : `violates PodSecurity "${level}:latest": ${found.join(', ')}`;
}

function containersOf({ spec }: Pod): readonly Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

function baselineViolations(pod: Pod): readonly string[] {
  const { spec } = pod;
  const hostNamespaces = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => spec?.[name] === true);
  const named = (what: string, must: string, breaks: (container: Container) => boolean): readonly string[] => {
    const names = containersOf(pod).flatMap((container) => (breaks(container) ? [`"${container.name}"`] : []));
    return names.length === 0 ? [] : [`${what} (container ${names.join(', ')} ${must})`];
  };
  return [
    ...(hostNamespaces.length === 0 ? [] : [`host namespaces (${hostNamespaces.map((name) => `${name}=true`).join(', ')})`]),
    ...named('privileged', 'must not set securityContext.privileged=true', ({ securityContext }) => securityContext?.privileged === true),
    ...named('non-default capabilities', 'must not include more than the default in securityContext.capabilities.add', (container) =>
      (container.securityContext?.capabilities?.add ?? []).some((name) => !baselineCapabilities.includes(name)),
    ),
    ...((spec?.volumes ?? []).some((volume) => volume.hostPath !== undefined) ? ['hostPath volumes'] : []),
    ...named('hostPort', 'uses a hostPort', ({ ports }) => (ports ?? []).some((port) => (port.hostPort ?? 0) > 0)),
    ...named(
      'seccompProfile',
      'must not set securityContext.seccompProfile.type to "Unconfined"',
      ({ securityContext }) => (securityContext?.seccompProfile ?? spec?.securityContext?.seccompProfile)?.type === 'Unconfined',
    ),
  ];
}

function restrictedViolations(pod: Pod): readonly string[] {
  const { spec } = pod;
  const own = spec?.securityContext;
  const each = (what: string, who: string, must: string, holds: (security: NonNullable<Container['securityContext']>) => boolean) =>
    containersOf(pod).flatMap(({ name, securityContext }) =>
      holds(securityContext ?? {}) ? [] : [`${what} (${who} "${name}" must set securityContext.${must})`],
    );
  const volumes = (spec?.volumes ?? []).filter((volume) => !restrictedVolumes.some((type) => type in volume));
  return [
    ...each(
      'allowPrivilegeEscalation != false',
      'container',
      'allowPrivilegeEscalation=false',
      (security) => security.allowPrivilegeEscalation === false,
    ),
    ...each('unrestricted capabilities', 'container', 'capabilities.drop=["ALL"]', ({ capabilities }) => {
      return (capabilities?.drop ?? []).includes('ALL') && (capabilities?.add ?? []).every((name) => name === 'NET_BIND_SERVICE');
    }),
    ...(volumes.length === 0 ? [] : [`restricted volume types (volume "${volumes[0]?.name}")`]),
    ...each(
      'runAsNonRoot != true',
      'pod or container',
      'runAsNonRoot=true',
      (security) => (security.runAsNonRoot ?? own?.runAsNonRoot) === true,
    ),
    ...each('runAsUser=0', 'pod or container', 'runAsUser to a non-zero value', (security) => (security.runAsUser ?? own?.runAsUser) !== 0),
    ...each('seccompProfile', 'pod or container', 'seccompProfile.type to "RuntimeDefault" or "Localhost"', (security) =>
      ['RuntimeDefault', 'Localhost'].includes((security.seccompProfile ?? own?.seccompProfile)?.type ?? ''),
    ),
  ];
}
