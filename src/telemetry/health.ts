import type { ReflectorState } from '../kube/reflector-health.ts';
import { type Page, type Pages, plainText } from './serve.ts';

/** Undefined: well; else what is wrong, fit for a user. */
export type HealthCheck = () => string | undefined;
export type HealthChecks = Readonly<Record<string, HealthCheck>>;

/** `/healthz`, `/livez` and `/readyz` in the form of Kubernetes: `ok`, or a line for each check when one fails or `?verbose` is asked; `?exclude=NAME` leaves one out. */
export function healthPages(live: HealthChecks, ready: HealthChecks): Pages {
  return {
    '/healthz': (query) => answerHealth('healthz', live, query),
    '/livez': (query) => answerHealth('livez', live, query),
    '/readyz': (query) => answerHealth('readyz', ready, query),
  };
}

function answerHealth(name: string, checks: HealthChecks, query: URLSearchParams): Page {
  const excluded = new Set(query.getAll('exclude'));
  let failed = false;
  const lines = Object.entries(checks).map(([check, run]) => {
    if (excluded.has(check)) return `[+]${check} excluded: ok`;
    const trouble = run();
    failed ||= trouble !== undefined;
    return trouble === undefined ? `[+]${check} ok` : `[-]${check} failed: ${trouble}`;
  });
  if (!failed && !query.has('verbose')) return { status: 200, type: plainText, body: 'ok' };
  return { status: failed ? 500 : 200, type: plainText, body: [...lines, `${name} check ${failed ? 'failed' : 'passed'}`, ''].join('\n') };
}

/** What is behind for less is nothing that anybody should act on. */
const patienceMs = 10_000;

/** One check per cache: it has its first list, and is not behind the cluster. */
export function checkCaches(caches: readonly { readonly plural: string; state(): ReflectorState }[]): HealthChecks {
  return Object.fromEntries(
    caches.map((cache) => [
      `cache-${cache.plural}`,
      () => {
        const { synced, stale, ageMs, lastFault } = cache.state();
        const because = lastFault === undefined ? '' : `: ${lastFault}`;
        if (!synced) return `no list yet${because}`;
        return stale && ageMs > patienceMs ? `nothing heard for ${Math.round(ageMs / 1_000)} s${because}` : undefined;
      },
    ]),
  );
}

export interface Reach {
  /** To be told the HTTP status of each answer, or `<error>` where none came. */
  onAnswer(code: string): void;
  readonly check: HealthCheck;
}

/** Whether the API server answers, and knows us. Before the first call it is taken to. */
export function createReach(monotonicMs: () => number): Reach {
  let lostMs: number | undefined;
  let last = '';
  return {
    onAnswer: (code) => {
      last = code;
      if (code !== '<error>' && code !== '401' && !code.startsWith('5')) lostMs = undefined;
      else lostMs ??= monotonicMs();
    },
    check: () => {
      if (lostMs === undefined || monotonicMs() - lostMs <= patienceMs) return undefined;
      const seconds = Math.round((monotonicMs() - lostMs) / 1_000);
      if (last === '401') return `it has not accepted our credentials for ${seconds} s`;
      return last === '<error>' ? `no answer for ${seconds} s` : `it has answered ${last} for ${seconds} s`;
    },
  };
}
