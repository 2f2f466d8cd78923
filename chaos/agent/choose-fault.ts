import { type NodeFaultId, nodeFaultIds, nodeFaultKinds } from '../../src/testbed/nodes/node-faults.ts';

/** The fault that an attack names, or why there is none, with what there is. */
export type Choice = { readonly fault: NodeFaultId } | { readonly refused: string };

type Fields = Readonly<Record<string, unknown>>;
/** Of signals, by number: what they do to a kubelet. A process is killed where none is given. */
const kubeletFaults: Readonly<Record<number, NodeFaultId>> = { 0: 'kubelet-crash', 9: 'kubelet-crash', 19: 'kubelet-hang' };

/**
 * Which fault of the catalogue an attack of PhysicalMachineChaos means. A name is looked up; nothing in the attack is ever run. Pure.
 *
 * @param action the part of the CR's action before its first `-`
 * @param fields what the CR says of the attack, with the rest of its action as `action`
 */
export function chooseFault(action: string, fields: Fields): Choice {
  const rest = fields.action;
  const whole = typeof rest === 'string' && rest !== '' ? `${action}-${rest}` : action;
  switch (whole) {
    case 'user_defined':
      return chooseByName(fields.attackCmd, fields.recoverCmd);
    case 'process': {
      const fault = fields.process === 'kubelet' ? kubeletFaults[Number(fields.signal ?? 0)] : undefined;
      if (fault !== undefined) return { fault };
      return { refused: `process ${JSON.stringify(fields.process)}: it knows process kubelet, with signal 9 (crash) or 19 (hang)` };
    }
    case 'network-down':
      return { fault: 'link-down' };
    case 'disk-fill':
      return { fault: 'disk-full' };
    default:
      return { refused: `action ${whole}: it knows user_defined, process, network-down and disk-fill` };
  }
}

function chooseByName(attack: unknown, recover: unknown): Choice {
  const fault = nodeFaultIds.find((id) => id === attack);
  const known = nodeFaultIds.map((id) => `${id} (recoverCmd ${nodeFaultKinds[id].undoId})`).join(', ');
  if (fault === undefined) return { refused: `attackCmd ${JSON.stringify(attack)}: it runs no commands, it knows these names: ${known}` };
  const { undoId } = nodeFaultKinds[fault];
  if (recover === undefined || recover === '' || recover === undoId) return { fault };
  return { refused: `recoverCmd ${JSON.stringify(recover)}: ${fault} is undone by ${undoId}` };
}
