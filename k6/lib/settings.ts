/// <reference types="k6" />
import type { Options } from 'k6/options';
import { parseArrivals } from '../../src/bench/bench-lines.ts';

const env = (name: string, otherwise: string): string => __ENV[name] || otherwise;
const number = (name: string, otherwise: number): number => Number(env(name, String(otherwise)));

const tokenFile = env('KUBE_TOKEN_FILE', '');

/** The environment variables of every scenario; `k6/README.md` explains them. */
export const settings = {
  server: env('KUBE_SERVER', '').replace(/\/$/, ''),
  token: env('KUBE_TOKEN', tokenFile === '' ? '' : open(tokenFile).trim()),
  count: number('BENCH_COUNT', 20),
  present: number('BENCH_PRESENT', 0),
  arrivals: parseArrivals(env('BENCH_ARRIVALS', '2')),
  seed: number('BENCH_SEED', 1),
  namespaces: env('BENCH_NAMESPACES', 'default').split(','),
  image: env('BENCH_IMAGE', 'registry.invalid/performer:1'),
  prefix: env('BENCH_PREFIX', 'bench'),
  timeoutMs: number('BENCH_TIMEOUT_SECONDS', 120) * 1_000,
  quietMs: number('BENCH_QUIET_SECONDS', 3) * 1_000,
  /** Where performers are called through their Services; 0: not at all. */
  answerPort: number('BENCH_ANSWER_PORT', 0),
  /** Whether what the run made is left to whoever comes next. */
  keep: env('BENCH_KEEP', '') !== '',
};

if (settings.server === '') throw new Error('KUBE_SERVER is not set: give it the address of an API server, e.g. https://127.0.0.1:6443');

const [cert, key] = [env('KUBE_CLIENT_CERTIFICATE', ''), env('KUBE_CLIENT_KEY', '')];

/** One virtual user: its event loop sends, watches and reads the clock, so that all times are of one clock and nothing has to be shared. */
export const options: Options = {
  scenarios: {
    bench: {
      executor: 'per-vu-iterations',
      vus: 1,
      iterations: 1,
      maxDuration: `${Math.ceil((settings.timeoutMs * 3 + settings.quietMs) / 1_000)}s`,
    },
  },
  // k6 takes the authority only from SSL_CERT_FILE, which Go reads.
  insecureSkipTLSVerify: env('SSL_CERT_FILE', '') === '',
  ...(cert === '' ? {} : { tlsAuth: [{ cert: open(cert), key: open(key) }] }),
  thresholds: { troubles: ['count==0'] },
  summaryTrendStats: ['min', 'med', 'p(90)', 'p(99)', 'max', 'count'],
};
