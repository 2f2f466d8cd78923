/** Creates Performers, then deletes them and measures each phase until pod, Service and Performer are gone. Environment: as create.ts. */
import { buildKeys } from '../../src/bench/bench-lines.ts';
import { runLoad } from '../lib/load.ts';
import { settings } from '../lib/settings.ts';

export { options } from '../lib/settings.ts';

export default async function (): Promise<void> {
  const keys = buildKeys(settings.prefix, settings.count, settings.namespaces);
  await runLoad(keys, async (load) => {
    await load.fill(keys);
    await load.begin(keys.length);
    await load.drive('delete', keys);
  });
}
