import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../src/kube/objects.ts';
import { classifyDenial } from '../../../src/reconcile/plan/denial.ts';
import { podSecurityRefusal } from '../../../src/sim/pod-security.ts';

type Spec = Partial<NonNullable<Pod['spec']>>;
type Container = Partial<NonNullable<Pod['spec']>['containers'][number]>;

const enforce = (level: string): Record<string, string> => ({ 'pod-security.kubernetes.io/enforce': level });
const podOf = (spec: Spec = {}, container: Container = {}): Pod => ({
  spec: { containers: [{ name: 'main', image: 'x', ...container }], ...spec },
});
const locked = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

describe('Pod Security admission', () => {
  it.each<{ name: string; level: string; pod: Pod; says: string | undefined }>([
    { name: 'lets anything into a privileged namespace', level: 'privileged', pod: podOf({ hostNetwork: true }), says: undefined },
    { name: 'lets a plain pod into a baseline one', level: 'baseline', pod: podOf(), says: undefined },
    { name: 'lets a locked pod into a restricted one', level: 'restricted', pod: podOf({}, { securityContext: locked }), says: undefined },
    { name: 'refuses the host network', level: 'baseline', pod: podOf({ hostNetwork: true }), says: 'host namespaces (hostNetwork=true)' },
    {
      name: 'refuses privileges',
      level: 'baseline',
      pod: podOf({}, { securityContext: { privileged: true } }),
      says: 'privileged (container "main"',
    },
    {
      name: 'refuses a capability',
      level: 'baseline',
      pod: podOf({}, { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }),
      says: 'non-default capabilities (container "main"',
    },
    {
      name: 'refuses a path of the host',
      level: 'baseline',
      pod: podOf({ volumes: [{ name: 'v', hostPath: { path: '/dev' } }] }),
      says: 'hostPath volumes',
    },
    {
      name: 'refuses a plain pod in a restricted namespace',
      level: 'restricted',
      pod: podOf(),
      says: 'allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities',
    },
    {
      name: 'refuses root there',
      level: 'restricted',
      pod: podOf({}, { securityContext: { ...locked, runAsUser: 0 } }),
      says: 'runAsUser=0',
    },
  ])('$name', ({ level, pod, says }) => {
    const refusal = podSecurityRefusal(enforce(level), pod);
    if (says === undefined) expect(refusal).toBeUndefined();
    else expect(refusal).toContain(`violates PodSecurity "${level}:latest": ${says}`);
    if (refusal !== undefined) expect(classifyDenial(refusal)).toBe('PodSecurityViolation');
  });

  it('takes what the pod says for its containers', () => {
    const { runAsNonRoot, seccompProfile, ...rest } = locked;
    expect(
      podSecurityRefusal(enforce('restricted'), podOf({ securityContext: { runAsNonRoot, seccompProfile } }, { securityContext: rest })),
    ).toBeUndefined();
  });
});
