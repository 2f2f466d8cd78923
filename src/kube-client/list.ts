import { isKubeFault } from '../kube/faults.ts';
import type { KubeObject, Resource } from '../kube/objects.ts';
import type { ListOptions, ListResult } from '../kube/port.ts';
import type { Caller } from './caller.ts';
import { decodeList } from './decode.ts';
import { describeTarget, requestPath } from './request-path.ts';

const pageSize = 500;

/** All pages of one consistent list. When the server forgets the version of the first page half-way, starts anew without pages. */
export function listAll<T extends KubeObject>(
  caller: Caller,
  resource: Resource<T>,
  options: ListOptions<T>,
  maxBytes: number,
): Promise<ListResult<T>> {
  const { namespace = '', labelSelector, fieldSelector, project } = options;
  const doing = { text: `listing ${describeTarget(resource, { namespace })}`, write: false };
  return caller.run(doing, options, async (scope) => {
    const readPages = async (limit: number | undefined): Promise<ListResult<T>> => {
      const items: T[] = [];
      for (let next: string | undefined; ; ) {
        const path = requestPath(resource, { namespace }, { labelSelector, fieldSelector, limit, continue: next });
        const page = decodeList(resource, await caller.exchange(scope, { method: 'GET', path }, maxBytes), project);
        // Not by spreading: a list without pages has more items than a call may have arguments.
        for (const item of page.items) items.push(item);
        if (page.next === undefined) return { items, resourceVersion: page.resourceVersion };
        next = page.next;
      }
    };
    try {
      return await readPages(pageSize);
    } catch (error) {
      if (!isKubeFault(error, 'expired')) throw error;
      return await readPages(undefined);
    }
  });
}
