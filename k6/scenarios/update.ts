/** Creates Performers, then changes their image and measures each phase until the old pod is gone, and the time without a ready pod. Environment: as create.ts. */
import { buildKeys } from '../../src/bench/bench-lines.ts';
import { runLoad } from '../lib/load.ts';
import { settings } from '../lib/settings.ts';

export { options } from '../lib/settings.ts';

export default async function (): Promise<void> {
  const keys = buildKeys(settings.prefix, settings.count, settings.namespaces);
  await runLoad(keys, async (load) => {
    await load.fill(keys);
    await load.begin(keys.length);
    await load.drive('update', keys);
  });
}
