import { KubeFault } from '../../kube/faults.ts';

export function expired(): KubeFault {
  return new KubeFault('expired', 'watching: too old resource version', { status: 410, reason: 'Expired' });
}

export function broken(): KubeFault {
  return new KubeFault('unreachable', 'watching: the connection broke');
}
