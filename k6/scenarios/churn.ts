/** Creates Performers and deletes as many others at the same rate, so that their number stays; measures both. Environment: as create.ts. */
import { buildKeys } from '../../src/bench/bench-lines.ts';
import { runLoad } from '../lib/load.ts';
import { settings } from '../lib/settings.ts';

export { options } from '../lib/settings.ts';

export default async function (): Promise<void> {
  const { prefix, count, namespaces } = settings;
  const old = buildKeys(prefix, count, namespaces);
  const fresh = buildKeys(prefix, count, namespaces, count);
  await runLoad(fresh, async (load) => {
    await load.fill(old);
    await load.begin(count * 2);
    await Promise.all([load.drive('create', fresh), load.drive('delete', old)]);
  });
}
