/**
 * Creates Performers and measures each phase until their status says ready.
 *
 *   KUBE_SERVER=https://… KUBE_TOKEN=… k6 run k6/scenarios/create.ts
 *
 * KUBE_SERVER              API server, e.g. https://127.0.0.1:6443
 * KUBE_TOKEN               bearer token; or KUBE_TOKEN_FILE, which holds it; or KUBE_CLIENT_CERTIFICATE and KUBE_CLIENT_KEY, PEM files
 * SSL_CERT_FILE            PEM file of the server's authority; without it its certificate is not looked at
 * BENCH_COUNT              how many Performers (20)
 * BENCH_PRESENT            how many are there before, which create.ts makes without measuring them (0)
 * BENCH_ARRIVALS           serial: one when the one before it is done; burst: all at once; or so many a second, at even distances (2), or
 *                          by chance: poisson:2
 * BENCH_SEED               of that chance (1)
 * BENCH_NAMESPACES         where, comma between them (default)
 * BENCH_IMAGE              of their pods (registry.invalid/performer:1, which only fake nodes run)
 * BENCH_PREFIX             of their names (bench)
 * BENCH_TIMEOUT_SECONDS    how long to wait for the last one (120)
 * BENCH_QUIET_SECONDS      pause between the filling and the measuring of the other scenarios (3)
 * BENCH_ANSWER_PORT        calls each new Performer at this port of its Service until it answers; where Services route, with pods that serve (none)
 * BENCH_KEEP               anything: what was made is not deleted at the end
 */
import { buildKeys } from '../../src/bench/bench-lines.ts';
import { runLoad } from '../lib/load.ts';
import { settings } from '../lib/settings.ts';

export { options } from '../lib/settings.ts';

export default async function (): Promise<void> {
  const { prefix, count, namespaces, present } = settings;
  const keys = buildKeys(prefix, count, namespaces);
  const before = buildKeys(`${prefix}-present`, present, namespaces);
  await runLoad([...before, ...keys], async (load) => {
    if (present > 0) await load.fill(before);
    await load.begin(keys.length);
    await load.drive('create', keys);
  });
}
