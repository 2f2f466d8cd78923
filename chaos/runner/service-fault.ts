import { labels, performerSelector, portName, serviceName } from '../../src/api/v1alpha1/naming.ts';
import { type Service, services } from '../../src/kube/objects.ts';
import { ensure, find, type Lab, patchNewest, remove } from '../cluster/lab.ts';
import { performerPort } from '../cluster/workloads.ts';
import { chaosNamespace, strangeSelector } from '../experiment.ts';
import type { Injection } from './injection.ts';

/** A performer's Service is gone, or leads to nobody, by another hand. To put it right is up to the subject. */
export function serviceInjection(lab: Lab, performer: string, does: 'delete' | 'misroute'): Injection {
  const key = { metadata: { namespace: chaosNamespace, name: serviceName(performer) } };
  let holds = false;
  return {
    inject: async () => {
      if (does === 'delete') await remove(lab, services, key);
      else await patchSelector(lab, key, { ...strangeSelector, [labels.performer]: 'nobody' });
      holds = true;
    },
    status: async () => ({ holds, detail: holds ? 'the API server took it' : 'the API server did not take it' }),
    heal: async () => ({ holds: true, detail: 'nothing to take back' }),
  };
}

/** What nobody has put right is put right, so that what comes next has something to stand on. */
export async function restoreService(lab: Lab, performer: string): Promise<void> {
  const selector = performerSelector(performer);
  const metadata = { namespace: chaosNamespace, name: serviceName(performer) };
  const service = await find<Service>(lab, services, { metadata });
  if (service === undefined)
    await ensure(lab, services, { metadata, spec: { selector, ports: [{ name: portName, port: performerPort }] } });
  const stray = Object.keys(strangeSelector).filter((name) => service?.spec?.selector?.[name] !== undefined);
  if (stray.length > 0) await patchSelector(lab, { metadata }, { ...Object.fromEntries(stray.map((name) => [name, null])), ...selector });
}

async function patchSelector(lab: Lab, service: Service, selector: Readonly<Record<string, string | null>>): Promise<void> {
  await patchNewest(lab, services, service, { spec: { selector } });
}
