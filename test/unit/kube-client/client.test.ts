import { constants } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { KubeFault, type KubeFaultCode } from '../../../src/kube/faults.ts';
import { leases, type Pod, pods } from '../../../src/kube/objects.ts';
import type { KubeApi } from '../../../src/kube/port.ts';
import { createKubeApi, type KubeClient, type KubeClientOptions } from '../../../src/kube-client/client.ts';
import type { ClusterConfig } from '../../../src/kube-client/cluster-config.ts';
import { type Clock, systemClock } from '../../../src/lib/clock.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { createFastClock } from '../../support/fast-clock.ts';
import { failure, type Script, type ScriptedServer, scriptedIdentity, startScriptedServer } from '../../support/scripted-server.ts';
import { createTlsIdentity, type TlsIdentity } from '../../support/tls-identity.ts';

const key = { namespace: 'team-a', name: 'x' };
const stored = { apiVersion: 'v1', kind: 'Pod', metadata: { ...key, uid: 'u', resourceVersion: '7' } };
const list = (items: readonly object[], more: Record<string, string> = {}): object => ({
  kind: 'PodList',
  apiVersion: 'v1',
  metadata: { resourceVersion: '9', ...more },
  items,
});

let server: ScriptedServer | undefined;
let client: KubeClient | undefined;
afterEach(async () => {
  client?.close();
  await server?.close();
  client = server = undefined;
});

/** The machine's clock, but for the deadlines of calls: they pass when a test says so, so that a slow machine changes nothing. */
class DeadlineClock implements Clock {
  readonly #deadlines = new Set<() => void>();
  readonly nowMs = (): number => systemClock.nowMs();
  readonly monotonicMs = (): number => systemClock.monotonicMs();

  timer(delayMs: number, run: () => void): () => void {
    if (delayMs !== 30_000) return systemClock.timer(delayMs, run);
    this.#deadlines.add(run);
    return () => this.#deadlines.delete(run);
  }

  pass(): void {
    for (const run of this.#deadlines) run();
  }
}

/** The machine's clock, and how many of its timers wait. */
class CountingClock implements Clock {
  pending = 0;
  readonly nowMs = (): number => systemClock.nowMs();
  readonly monotonicMs = (): number => systemClock.monotonicMs();

  timer(delayMs: number, run: () => void): () => void {
    let waits = true;
    this.pending += 1;
    const end = (): void => {
      if (waits) this.pending -= 1;
      waits = false;
    };
    const cancel = systemClock.timer(delayMs, () => {
      end();
      run();
    });
    return () => {
      end();
      cancel();
    };
  }
}

interface Given {
  readonly protocol?: Parameters<typeof startScriptedServer>[1];
  readonly config?: Partial<ClusterConfig>;
  readonly options?: Partial<KubeClientOptions>;
  readonly identity?: TlsIdentity;
}

async function connect(script: Script, given: Given = {}): Promise<{ kube: KubeClient; server: ScriptedServer }> {
  const started = await startScriptedServer(script, given.protocol, given.identity);
  const kube = createKubeApi(started.config(given.config), {
    clock: systemClock,
    userAgent: 'tester/1.2 (unit)',
    // No wait before a retry but the one that the server asks for.
    random: () => 0,
    ...given.options,
  });
  server = started;
  client = kube;
  return { kube, server: started };
}

async function faultOf(call: Promise<unknown>): Promise<KubeFault> {
  const outcome = await call.then(
    () => new Error('expected a fault'),
    (error: unknown) => error,
  );
  if (outcome instanceof KubeFault) return outcome;
  throw outcome;
}

/** One of each verb, as its callers use it. */
const calls: Readonly<Record<string, (kube: KubeApi) => Promise<unknown>>> = {
  list: (kube) => kube.list(pods),
  get: (kube) => kube.get(pods, key),
  create: (kube) => kube.create(pods, { metadata: key }),
  patch: (kube) => kube.patch(pods, key, { spec: {} }, { resourceVersion: '7' }),
  delete: (kube) => kube.delete(pods, key, { uid: 'u', resourceVersion: '7' }),
  event: (kube) =>
    kube.event({
      regarding: { apiVersion: 'v1', kind: 'Pod', uid: 'u', ...key },
      name: 'x.1',
      type: 'Normal',
      reason: 'R',
      message: 'm',
      action: 'A',
    }),
};
const reads = ['list', 'get'];
const writes = ['create', 'patch', 'delete', 'event'];
const call = (kube: KubeApi, verb: string): Promise<unknown> => calls[verb]?.(kube) ?? Promise.reject(new Error(`no verb ${verb}`));

describe('the requests of a client', () => {
  it.each([
    { verb: 'get', method: 'GET', path: '/api/v1/namespaces/team-a/pods/x', body: undefined },
    {
      verb: 'create',
      method: 'POST',
      path: '/api/v1/namespaces/team-a/pods',
      body: { apiVersion: 'v1', kind: 'Pod', metadata: key },
    },
    {
      verb: 'patch',
      method: 'PATCH',
      path: '/api/v1/namespaces/team-a/pods/x',
      type: 'application/merge-patch+json',
      body: { spec: {}, metadata: { resourceVersion: '7' } },
    },
    {
      verb: 'delete',
      method: 'DELETE',
      path: '/api/v1/namespaces/team-a/pods/x',
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'u', resourceVersion: '7' } },
    },
  ])('$verb is $method $path', async ({ verb, method, path, body, type }) => {
    const { kube, server } = await connect((_, reply) => reply.json(200, stored));
    await call(kube, verb);
    expect(server.requests).toHaveLength(1);
    const [request] = server.requests;
    expect(request).toMatchObject({ method, path, headers: { accept: 'application/json', 'user-agent': 'tester/1.2 (unit)' } });
    expect(request?.body === '' ? undefined : JSON.parse(request?.body ?? '')).toEqual(body);
    if (body !== undefined) expect(request?.headers['content-type']).toBe(type ?? 'application/json');
  });

  it('keeps the path of a server behind a proxy, and says who is asking', async () => {
    const { kube, server } = await connect((_, reply) => reply.json(200, stored), {
      config: { headers: async () => ({ authorization: 'Bearer t', 'impersonate-group': ['a', 'b'] }) },
    });
    const behind = createKubeApi(
      { ...server.config({ headers: async () => ({ authorization: 'Bearer t' }) }), server: `${server.config().server}/k8s/c1` },
      { clock: systemClock, userAgent: 'u' },
    );
    await behind.get(pods, key);
    behind.close();
    await kube.get(pods, key);
    expect(server.requests.map(({ path }) => path)).toEqual([
      '/k8s/c1/api/v1/namespaces/team-a/pods/x',
      '/api/v1/namespaces/team-a/pods/x',
    ]);
    expect(server.requests[0]?.headers).toMatchObject({ authorization: 'Bearer t' });
    expect(server.requests[1]?.headers).toMatchObject({ authorization: 'Bearer t', 'impersonate-group': 'a, b' });
  });

  it('refuses a patch that is no object without sending it', async () => {
    const { kube, server } = await connect((_, reply) => reply.json(200, stored));
    expect((await faultOf(kube.patch(pods, key, [1], { resourceVersion: '7' }))).code).toBe('invalid');
    expect(server.requests).toEqual([]);
  });

  it('passes each warning of the API server on once', async () => {
    const warnings: string[] = [];
    const { kube } = await connect((_, reply) => reply.json(200, stored, { warning: '299 - "spec.x is \\"old\\"", 299 - "second"' }), {
      options: { warn: (message) => warnings.push(message) },
    });
    await kube.get(pods, key);
    await kube.get(pods, key);
    expect(warnings).toEqual(['spec.x is "old"', 'second']);
  });

  it('tells the time of the API server', async () => {
    const { kube } = await connect((_, reply) => reply.json(200, stored, { date: 'Tue, 05 May 2026 10:00:00 GMT' }));
    expect(Math.abs(kube.serverNowMs() - Date.now())).toBeLessThan(1_000);
    await kube.get(pods, key);
    expect(kube.serverNowMs() - Date.parse('2026-05-05T10:00:00Z')).toBeLessThan(5_000);
  });
});

describe('list', () => {
  it('follows the pages and fills in kind and apiVersion', async () => {
    const { kube, server } = await connect(({ path }, reply) => {
      if (path.includes('continue=')) reply.json(200, list([{ metadata: { name: 'b' } }]));
      else reply.json(200, list([{ metadata: { name: 'a' } }], { continue: 'more&more' }));
    });
    const { items, resourceVersion } = await kube.list(leases, { namespace: 'team-a', labelSelector: 'a=b,c' });
    expect(items).toEqual(['a', 'b'].map((name) => ({ metadata: { name }, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' })));
    expect(resourceVersion).toBe('9');
    const path = '/apis/coordination.k8s.io/v1/namespaces/team-a/leases?labelSelector=a%3Db%2Cc&limit=500';
    expect(server.requests.map((request) => request.path)).toEqual([path, `${path}&continue=more%26more`]);
  });

  it('starts anew, without pages, when the first page has been forgotten', async () => {
    const { kube, server } = await connect(({ path }, reply) => {
      if (path.includes('continue=')) reply.json(410, failure(410, 'Expired', 'The provided continue parameter is too old'));
      else if (path.includes('limit=')) reply.json(200, list([stored], { continue: 'more' }));
      else reply.json(200, list([stored, stored]));
    });
    expect((await kube.list(pods)).items).toHaveLength(2);
    expect(server.requests.map(({ path }) => path)).toEqual([
      '/api/v1/pods?limit=500',
      '/api/v1/pods?limit=500&continue=more',
      '/api/v1/pods',
    ]);
  });
});

describe('a list of 50 MB', () => {
  const item = { ...stored, metadata: { ...stored.metadata, annotations: { a: 'x'.repeat(10_000) } } };
  const script: Script = ({ path }, reply) => {
    const from = Number(/continue=(\d+)/.exec(path)?.[1] ?? 0);
    const size = path.includes('limit=') ? 500 : 5_000;
    reply.json(200, list(Array(size).fill(item), from + size < 5_000 ? { continue: `${from + size}` } : {}));
  };

  it('comes in pages', async () => {
    const { kube, server } = await connect(script);
    expect((await kube.list(pods)).items).toHaveLength(5_000);
    expect(server.requests).toHaveLength(10);
    expect(server.relay.connections()).toBe(1);
  });

  it('is told where a page is larger than allowed, at the first that is, and not read on', async () => {
    const { kube, server } = await connect(script, { options: { limits: { listBytes: 1_000_000 } } });
    expect(await faultOf(kube.list(pods))).toMatchObject({
      code: 'unreadable',
      message: 'listing pods in all namespaces: the answer is larger than 976 KiB',
    });
    expect(server.requests).toHaveLength(1);
    await kube.get(pods, key).catch(() => {});
    expect(server.relay.connections()).toBe(1);
  });
});

describe('delete', () => {
  const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  it.each<{ name: string; answer: object; result: 'gone' | 'there' }>([
    { name: 'a Status', answer: { kind: 'Status', status: 'Success' }, result: 'gone' },
    { name: 'a final object without deletionTimestamp', answer: stored, result: 'gone' },
    {
      name: 'a final pod, whose grace period is 0',
      answer: { ...stored, metadata: { ...stored.metadata, ...going, deletionGracePeriodSeconds: 0 } },
      result: 'gone',
    },
    {
      name: 'a pod in its grace period',
      answer: { ...stored, metadata: { ...stored.metadata, ...going, deletionGracePeriodSeconds: 30 } },
      result: 'there',
    },
    {
      name: 'an object with a finalizer',
      answer: { ...stored, metadata: { ...stored.metadata, ...going, deletionGracePeriodSeconds: 0, finalizers: ['f'] } },
      result: 'there',
    },
  ])('takes $name for $result', async ({ answer, result }) => {
    const { kube } = await connect((_, reply) => reply.json(200, answer));
    expect(await call(kube, 'delete')).toEqual(result === 'gone' ? undefined : answer);
  });
});

describe('an answer that fails', () => {
  it('carries the wait that a busy server asks for, and is not repeated when that is long', async () => {
    const { kube, server } = await connect((_, reply) =>
      reply.json(429, failure(429, 'TooManyRequests', 'slow down'), { 'retry-after': '7' }),
    );
    const fault = await faultOf(call(kube, 'create'));
    expect(fault).toMatchObject({ code: 'throttled', status: 429, retryAfterMs: 7_000 });
    expect(fault.message).toBe('creating Pod team-a/x: slow down (429)');
    expect(server.requests).toHaveLength(1);
  });

  it.each([...reads, ...writes])('is repeated for a %s after the wait that a busy server asks for, and told', async (verb) => {
    const told: unknown[] = [];
    const clock = new FakeClock();
    let tries = 0;
    const script: Script = (_, reply) => {
      tries += 1;
      if (tries === 1) reply.json(429, failure(429, 'TooManyRequests', 'slow down'), { 'retry-after': '2' });
      else reply.json(200, verb === 'list' ? list([]) : stored);
    };
    const { kube } = await connect(script, { options: { clock, onRetry: ({ code }, waitMs) => told.push(code, waitMs) } });
    const calling = call(kube, verb);
    while (told.length === 0) await settle();
    await clock.advance(1_999);
    expect(tries).toBe(1);
    await clock.advance(1);
    await calling;
    expect(tries).toBe(2);
    expect(told).toEqual(['throttled', 2_000]);
  });

  it('is not repeated past the deadline of the call', async () => {
    const { kube, server } = await connect((_, reply) =>
      reply.json(429, failure(429, 'TooManyRequests', 'slow down'), { 'retry-after': '3' }),
    );
    expect((await faultOf(kube.get(pods, key, { timeoutMs: 2_900 }))).code).toBe('throttled');
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    { verb: 'list', status: 503, tries: 4, code: 'unavailable' },
    { verb: 'get', status: 500, tries: 4, code: 'unavailable' },
    { verb: 'create', status: 503, tries: 1, code: 'unavailable' },
    { verb: 'patch', status: 504, tries: 1, code: 'unknownOutcome' },
    { verb: 'delete', status: 429, tries: 4, code: 'throttled' },
    { verb: 'get', status: 404, tries: 1, code: 'notFound' },
  ])('of $status is asked for $tries times by a $verb', async ({ verb, status, tries, code }) => {
    const { kube, server } = await connect((_, reply) => reply.json(status, failure(status, 'X', 'no', { name: 'x' })));
    expect((await faultOf(call(kube, verb))).code).toBe(code);
    expect(server.requests).toHaveLength(tries);
  });

  it('costs all calls of a client together ten repetitions at most', async () => {
    const { kube, server } = await connect((_, reply) => reply.json(503, failure(503, 'ServiceUnavailable', 'down')));
    for (let index = 0; index < 20; index += 1) await faultOf(call(kube, 'get'));
    expect(server.requests).toHaveLength(30);
  });

  it.each<{ name: string; script: Script; code: KubeFaultCode; options?: Partial<KubeClientOptions> }>([
    { name: 'no JSON', script: (_, reply) => reply.text(200, '<html>secret</html>'), code: 'unreadable' },
    { name: 'no object', script: (_, reply) => reply.text(200, '[]'), code: 'unreadable' },
    {
      name: 'too much',
      script: (_, reply) => reply.text(200, 'x'.repeat(2_000)),
      code: 'unreadable',
      options: { limits: { objectBytes: 1_000 } },
    },
    { name: 'a redirect', script: (_, reply) => reply.text(302, ''), code: 'unreadable' },
  ])('is $code when it is $name', async ({ script, code, options = {} }) => {
    const { kube } = await connect(script, { options });
    const fault = await faultOf(call(kube, 'get'));
    expect(fault.code).toBe(code);
    expect(fault.message).toMatch(/^getting Pod team-a\/x: /);
    expect(fault.message).not.toContain('secret');
  });

  it('is asked for again when a list is cut off half-way, and unreadable when it always is', async () => {
    let whole = false;
    const { kube, server } = await connect((_, reply) => {
      if (whole) return reply.json(200, list([stored]));
      reply.begin();
      reply.write('{"kind":"PodList","items":[');
      setTimeout(() => server.relay.cut(), 20);
    });
    expect(await faultOf(call(kube, 'list'))).toMatchObject({
      code: 'unreadable',
      message: 'listing pods in all namespaces: the answer broke off',
    });
    expect(server.requests).toHaveLength(4);
    whole = true;
    expect((await kube.list(pods)).items).toHaveLength(1);
  });

  it('leaves the outcome of a write unknown when its answer is cut off', async () => {
    const {
      kube,
      server: { relay },
    } = await connect((_, reply) => {
      reply.begin(201);
      reply.write('{"kind":');
      setTimeout(() => relay.cut(), 50);
    });
    expect((await faultOf(call(kube, 'create'))).code).toBe('unknownOutcome');
  });

  it('gives the token once more to a server that refused it, read anew', async () => {
    const asked: boolean[] = [];
    const { kube, server } = await connect(
      ({ headers }, reply) =>
        headers.authorization === 'Bearer new' ? reply.json(201, stored) : reply.json(401, failure(401, 'Unauthorized', 'Unauthorized')),
      {
        config: {
          headers: async (renew) => {
            asked.push(renew);
            return { authorization: renew ? 'Bearer new' : 'Bearer old' };
          },
        },
      },
    );
    await call(kube, 'create');
    expect(asked).toEqual([false, true]);
    expect(server.requests).toHaveLength(2);
  });

  it('is unauthorized, without another try, when the token is still the same', async () => {
    const { kube, server } = await connect((_, reply) => reply.json(401, failure(401, 'Unauthorized', 'Unauthorized')));
    expect(await faultOf(call(kube, 'get'))).toMatchObject({ code: 'unauthorized', status: 401 });
    expect(server.requests).toHaveLength(1);
  });

  it('shows a client certificate that was replaced, on a new connection, when the old one is refused', async () => {
    const certs = [await createTlsIdentity({ dns: 'a' }), await createTlsIdentity({ dns: 'b' })];
    let newest = 0;
    const { kube, server } = await connect(
      (_, reply) => {
        if (server.relay.connections() > 1) return reply.json(200, stored);
        newest = 1;
        reply.json(401, failure(401, 'Unauthorized', 'Unauthorized'));
      },
      {
        config: {
          tls: async () => ({ ca: (await scriptedIdentity()).ca, cert: certs[newest]?.cert ?? '', key: certs[newest]?.key ?? '' }),
        },
      },
    );
    await Promise.all([call(kube, 'get'), call(kube, 'create')]);
    expect(server.relay.connections()).toBe(2);
  });

  it('is unauthorized when there are no credentials to be had', async () => {
    const { kube } = await connect((_, reply) => reply.json(200, stored), {
      config: { headers: () => Promise.reject(new Error('log in first')) },
    });
    const fault = await faultOf(call(kube, 'get'));
    expect(fault).toMatchObject({ code: 'unauthorized', message: 'getting Pod team-a/x: getting credentials of the test: log in first' });
  });

  it.each(['h2', 'http/1.1'] as const)(
    'over %s is unauthorized while the token holds what no header may, and served after that',
    async (protocol) => {
      let token = 'secret\nline';
      const { kube } = await connect((_, reply) => reply.json(200, stored), {
        protocol,
        config: { headers: async () => ({ authorization: `Bearer ${token}` }) },
      });
      for (let count = 0; count < 9; count += 1) {
        const fault = await faultOf(kube.get(pods, key, { timeoutMs: 2_000 }));
        expect(fault.code).toBe('unauthorized');
        expect(fault.message).toContain('getting credentials of the test: the authorization header would hold a line end');
        expect(fault.message).not.toContain('secret');
      }
      token = 'good';
      expect(await kube.get(pods, key, { timeoutMs: 2_000 })).toEqual(stored);
    },
  );

  it('leaves nothing under way when a watch is refused and there are no new credentials to be had', async () => {
    const clock = new CountingClock();
    const { kube } = await connect((_, reply) => reply.json(401, failure(401, 'Unauthorized', 'Unauthorized')), {
      options: { clock },
      config: { headers: (renew) => (renew ? Promise.reject(new Error('log in first')) : Promise.resolve({})) },
    });
    const watching = kube.watch(pods, { resourceVersion: '7' })[Symbol.asyncIterator]().next();
    expect(await faultOf(watching)).toMatchObject({ code: 'unauthorized' });
    await expect.poll(() => clock.pending, { timeout: 2_000 }).toBe(0);
  });

  it('is a timeout when certificates that are read again after a refusal do not come', async () => {
    let asked = 0;
    const { kube } = await connect((_, reply) => reply.json(401, failure(401, 'Unauthorized', 'Unauthorized')), {
      config: {
        tls: async () => {
          asked += 1;
          return asked > 1 ? new Promise(() => {}) : { ca: (await scriptedIdentity()).ca };
        },
      },
    });
    expect((await faultOf(kube.get(pods, key, { timeoutMs: 500 }))).code).toBe('timeout');
  }, 3_000);
});

describe('no answer', () => {
  it.each(writes)('leaves the outcome of a %s unknown, and does not repeat it', async (verb) => {
    const { kube, server } = await connect(() => server.relay.cut());
    const fault = await faultOf(call(kube, verb));
    expect(fault.code).toBe('unknownOutcome');
    expect(server.requests).toHaveLength(1);
  });

  it.each(reads)('repeats a %s on a new connection', async (verb) => {
    let tries = 0;
    const { kube, server } = await connect((_, reply) => {
      tries += 1;
      if (tries === 1) server.relay.cut();
      else reply.json(200, verb === 'list' ? list([]) : stored);
    });
    await call(kube, verb);
    expect(server.relay.connections()).toBe(2);
  });

  it.each(reads)('gives a %s up after the fourth time', async (verb) => {
    const { kube, server } = await connect(() => server.relay.cut());
    expect((await faultOf(call(kube, verb))).code).toBe('unreachable');
    expect(server.requests).toHaveLength(4);
  });

  it('comes about for none of many calls whose server goes away in between', async () => {
    let seen = 0;
    const { kube, server } = await connect((_, reply) => {
      seen += 1;
      // What it has not looked at yet is refused; what it has begun is answered.
      if (seen === 5) reply.session().goaway(constants.NGHTTP2_NO_ERROR, 1);
      setTimeout(() => reply.json(200, stored), 10);
    });
    const outcomes = await Promise.all(Array.from({ length: 60 }, (_, index) => call(kube, index % 2 === 0 ? 'get' : 'create')));
    expect(outcomes).toHaveLength(60);
    expect(server.relay.connections()).toBe(2);
  });

  it.each([...reads, ...writes])('sends a %s again that the server did not look at, as nothing happened', async (verb) => {
    let tries = 0;
    const { kube } = await connect((_, reply) => {
      tries += 1;
      if (tries === 1) reply.refuse();
      else reply.json(200, verb === 'list' ? list([]) : stored);
    });
    await call(kube, verb);
    expect(tries).toBe(2);
  });

  it.each([...reads, ...writes])('is unreachable when the server never looks at a %s', async (verb) => {
    const { kube, server } = await connect((_, reply) => reply.refuse());
    expect((await faultOf(call(kube, verb))).code).toBe('unreachable');
    // Three at once, four times.
    expect(server.requests).toHaveLength(12);
  });

  it.each([...reads, ...writes])('is unreachable when a %s finds nobody there, with server, cause and next step', async (verb) => {
    const { kube, server } = await connect((_, reply) => reply.json(200, stored));
    await server.relay.close();
    const fault = await faultOf(call(kube, verb));
    expect(fault.code).toBe('unreachable');
    expect(fault.message).toContain(
      `cannot reach ${server.config().server} (the test): nothing listens there; start the cluster, or check the address (ECONNREFUSED)`,
    );
  });

  it('is unreachable when the certificate is from another CA', async () => {
    const { kube } = await connect((_, reply) => reply.json(200, stored), { config: { tls: async () => ({}) } });
    const fault = await faultOf(call(kube, 'create'));
    expect(fault.code).toBe('unreachable');
    expect(fault.message).toMatch(/certificate is not signed by the expected CA.*\(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/);
  });

  it('is unreachable when the certificate is for another name, which it tells', async () => {
    const { kube, server } = await connect((_, reply) => reply.json(200, stored));
    kube.close();
    const other = createKubeApi(server.config({ tls: async () => ({ ca: server.identity.ca, servername: 'elsewhere.test' }) }), {
      clock: systemClock,
      userAgent: 'u',
    });
    const fault = await faultOf(other.get(pods, key));
    other.close();
    expect(fault.message).toContain('certificate is for another name (CN scripted-server, IP Address:127.0.0.1)');
  });

  it.each([
    { verb: 'get', code: 'timeout' },
    { verb: 'create', code: 'unknownOutcome' },
  ])('within the deadline makes a $verb end as $code', async ({ verb, code }) => {
    const clock = new DeadlineClock();
    const { kube, server } = await connect(() => {}, { options: { clock } });
    const calling = faultOf(call(kube, verb));
    while (server.requests.length === 0) await settle();
    clock.pass();
    expect((await calling).code).toBe(code);
  });

  it('of a body within the deadline is a timeout', async () => {
    const clock = new DeadlineClock();
    const { kube, server } = await connect((_, reply) => reply.begin(), { options: { clock } });
    const calling = faultOf(call(kube, 'get'));
    while (server.requests.length === 0) await settle();
    clock.pass();
    const fault = await calling;
    expect(fault).toMatchObject({ code: 'timeout', message: 'getting Pod team-a/x: no answer before the deadline' });
  });

  it('is a timeout, not an unknown outcome, when a write waits for a connection only', async () => {
    const { kube } = await connect(() => {}, { config: { tls: () => new Promise(() => {}) } });
    expect((await faultOf(kube.create(pods, { metadata: key }, { timeoutMs: 50 }))).code).toBe('timeout');
  });

  it('ends a call when its signal aborts, before and after it was sent', async () => {
    const controller = new AbortController();
    const { kube, server } = await connect(() => controller.abort());
    expect((await faultOf(kube.create(pods, { metadata: key }, { signal: controller.signal }))).code).toBe('aborted');
    expect((await faultOf(kube.create(pods, { metadata: key }, { signal: controller.signal }))).code).toBe('aborted');
    expect(server.requests).toHaveLength(1);
  });

  it('comes after the client was closed', async () => {
    const { kube, server } = await connect(() => {});
    const waiting = faultOf(call(kube, 'get'));
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    kube.close();
    expect(await waiting).toMatchObject({ code: 'aborted', message: 'getting Pod team-a/x: the client was closed' });
    expect((await faultOf(call(kube, 'get'))).code).toBe('aborted');
  });
});

describe('a connection', () => {
  it('sees a CA that was replaced during the handshake, at once', async () => {
    const other = await createTlsIdentity({ ip: '127.0.0.1' });
    let reads = 0;
    const { kube, server } = await connect((_, reply) => reply.json(200, stored), {
      config: {
        tls: async () => {
          reads += 1;
          return { ca: reads === 1 ? other.ca : (await scriptedIdentity()).ca };
        },
      },
    });
    await call(kube, 'create');
    expect(server.requests).toHaveLength(1);
    expect(reads).toBe(2);
  });

  it.each([
    { name: 'another name than that of the URL, where it is told to expect it', tls: { servername: 'scripted' }, served: true },
    { name: 'no other name', tls: { servername: 'elsewhere' }, served: false },
    {
      name: 'any name and any CA, where it is told not to look',
      tls: { ca: '', rejectUnauthorized: false, servername: 'elsewhere' },
      served: true,
    },
  ])('takes a certificate for $name', async ({ tls: { ca, ...tls }, served }) => {
    const identity = await createTlsIdentity({ dns: 'scripted' });
    const config = { tls: async () => ({ ...(ca === undefined ? { ca: identity.ca } : {}), ...tls }) };
    const { kube } = await connect((_, reply) => reply.json(200, stored), { identity, config });
    const outcome = await call(kube, 'get').then(
      () => true,
      (error: unknown) => !(error instanceof KubeFault && error.message.includes('certificate')),
    );
    expect(outcome).toBe(served);
  });

  it.each(['h2', 'http/1.1'] as const)('that never comes about over %s is given up after 10 s', async (protocol) => {
    const { kube, server } = await connect((_, reply) => reply.json(200, stored), { protocol, options: { clock: createFastClock(100) } });
    server.relay.freeze();
    // A plain connection is there at once; it is the answer that never comes.
    const wanted = protocol === 'h2' ? { code: 'unreachable' } : { code: 'timeout' };
    const fault = await faultOf(call(kube, 'get'));
    expect(fault).toMatchObject(wanted);
    if (protocol === 'h2') expect(fault.message).toContain('no answer; check the network and firewalls (ETIMEDOUT)');
  });

  it('that ends each second costs no call its answer', async () => {
    const { kube, server } = await connect((_, reply) => setTimeout(() => reply.json(200, stored), 3));
    const cutter = setInterval(() => server.relay.cut(), 100);
    let served = 0;
    for (let index = 0; index < 60; index += 1) served += await kube.get(pods, key).then(() => 1);
    clearInterval(cutter);
    expect(served).toBe(60);
    expect(server.relay.connections()).toBeGreaterThan(1);
  });
});

describe('HTTP/1.1', () => {
  const pod: Pod = stored;
  it.each(['https/1.1', 'http/1.1'] as const)('serves calls and watches over %s', async (protocol) => {
    const { kube, server } = await connect(
      ({ path, body }, reply) => {
        if (path.includes('watch=true')) {
          reply.begin();
          reply.write(`${JSON.stringify({ type: 'ADDED', object: stored })}\n`);
          reply.end();
        } else reply.json(200, body === '' ? list([stored]) : stored);
      },
      { protocol },
    );
    expect((await kube.list(pods)).items).toEqual([pod]);
    expect(await kube.create(pods, { metadata: key })).toEqual(pod);
    for await (const event of kube.watch(pods, { resourceVersion: '7' })) expect(event).toEqual({ type: 'ADDED', object: pod });
    await Promise.all(Array.from({ length: 50 }, () => kube.get(pods, key)));
    // The first over TLS only learns that there is no HTTP/2.
    expect(server.relay.connections()).toBeLessThanOrEqual(11);
  });

  it('tells a lost answer from a lost connection', async () => {
    const { kube, server } = await connect(() => server.relay.cut(), { protocol: 'http/1.1' });
    expect((await faultOf(call(kube, 'create'))).code).toBe('unknownOutcome');
    await server.relay.close();
    expect((await faultOf(call(kube, 'create'))).code).toBe('unreachable');
  });
});
