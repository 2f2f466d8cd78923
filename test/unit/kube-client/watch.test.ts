import { afterEach, describe, expect, it } from 'vitest';
import { isKubeFault } from '../../../src/kube/faults.ts';
import { type Pod, pods } from '../../../src/kube/objects.ts';
import type { WatchEvent, WatchOptions } from '../../../src/kube/port.ts';
import { createKubeApi, type KubeClient } from '../../../src/kube-client/client.ts';
import { type Clock, systemClock } from '../../../src/lib/clock.ts';
import { createFastClock } from '../../support/fast-clock.ts';
import { failure, type Reply, type Script, type ScriptedServer, startScriptedServer } from '../../support/scripted-server.ts';

let server: ScriptedServer | undefined;
let client: KubeClient | undefined;
afterEach(async () => {
  client?.close();
  await server?.close();
  client = server = undefined;
});

async function connect(script: Script, clock: Clock = systemClock): Promise<{ kube: KubeClient; server: ScriptedServer }> {
  const started = await startScriptedServer(script);
  const kube = createKubeApi(started.config(), { clock, userAgent: 'tester', limits: { objectBytes: 10_000 } });
  server = started;
  client = kube;
  return { kube, server: started };
}

const pod = (name: string): Pod => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, resourceVersion: '8' } });
const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;

/** What a reader sees: events, and how it ends. */
async function read(kube: KubeClient, options: Partial<WatchOptions> = {}): Promise<readonly (WatchEvent<Pod> | string)[]> {
  const seen: (WatchEvent<Pod> | string)[] = [];
  try {
    for await (const event of kube.watch(pods, { resourceVersion: '7', ...options })) seen.push(event);
    seen.push('end');
  } catch (error) {
    if (!isKubeFault(error)) throw error;
    seen.push(error.code);
  }
  return seen;
}

/** Answers with these pieces, a moment apart so that they arrive one by one, and then ends. */
function sending(...pieces: readonly (string | Uint8Array)[]): Script {
  return (_, reply) => {
    reply.begin();
    const step = (index: number): void => {
      const piece = pieces[index];
      if (piece === undefined) {
        reply.end();
        return;
      }
      reply.write(piece);
      setTimeout(() => step(index + 1), 2);
    };
    step(0);
  };
}

describe('a watch', () => {
  it('asks for bookmarks, from the version it was given', async () => {
    const { kube, server } = await connect((_, reply) => reply.text(200, ''));
    expect(await read(kube, { namespace: 'team-a', labelSelector: 'a=b', timeoutSeconds: 60 })).toEqual(['end']);
    expect(server.requests[0]?.path).toBe(
      '/api/v1/namespaces/team-a/pods?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=60&labelSelector=a%3Db',
    );
  });

  it('asks for all objects first where it is told to, and tells their end', async () => {
    const end = { metadata: { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } } };
    const { kube, server } = await connect(sending(line('ADDED', pod('a')), line('BOOKMARK', end), line('BOOKMARK', pod(''))));
    expect(await read(kube, { initialEvents: true, resourceVersion: '' })).toEqual([
      { type: 'ADDED', object: pod('a') },
      { type: 'BOOKMARK', resourceVersion: '9', initialEventsEnd: true },
      { type: 'BOOKMARK', resourceVersion: '8' },
      'end',
    ]);
    expect(server.requests[0]?.path).toBe(
      '/api/v1/pods?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan',
    );
  });

  it('says that it is open as soon as the server has begun to answer', async () => {
    const { kube } = await connect((_, reply) => reply.begin(), createFastClock(20));
    const stop = new AbortController();
    await new Promise<void>((resolve) => {
      void read(kube, { onOpen: resolve, signal: stop.signal });
    });
    stop.abort();
  });

  it('gives objects without managedFields, and cut down as it is told', async () => {
    const owned = { ...pod('a'), metadata: { ...pod('a').metadata, managedFields: [{ manager: 'x' }] }, spec: { containers: [] } };
    const { kube } = await connect(sending(line('ADDED', owned)));
    expect(await read(kube)).toEqual([{ type: 'ADDED', object: { ...pod('a'), spec: { containers: [] } } }, 'end']);
    const project = ({ metadata }: Pod): Pod => ({ metadata: { ...metadata, name: 'cut' } });
    expect(await read(kube, { project })).toEqual([{ type: 'ADDED', object: { metadata: { name: 'cut', resourceVersion: '8' } } }, 'end']);
  });

  it('tells additions, changes, deletions and bookmarks', async () => {
    const { kube } = await connect(
      sending(line('ADDED', pod('a')) + line('MODIFIED', pod('b')), line('DELETED', pod('c')), line('BOOKMARK', pod(''))),
    );
    expect(await read(kube)).toEqual([
      { type: 'ADDED', object: pod('a') },
      { type: 'MODIFIED', object: pod('b') },
      { type: 'DELETED', object: pod('c') },
      { type: 'BOOKMARK', resourceVersion: '8' },
      'end',
    ]);
  });

  it('puts events together from pieces that split a character', async () => {
    const bytes = Buffer.from(line('ADDED', pod('größe-時間-🕰')));
    const { kube } = await connect(sending(...Array.from({ length: bytes.length }, (_, index) => bytes.subarray(index, index + 1))));
    expect(await read(kube)).toEqual([{ type: 'ADDED', object: pod('größe-時間-🕰') }, 'end']);
  });

  it.each([
    {
      name: 'an ERROR event 410',
      script: sending(line('ERROR', failure(410, 'Expired', 'too old resource version: 1 (5)'))),
      end: 'expired',
    },
    { name: 'an ERROR event 500', script: sending(line('ERROR', failure(500, 'InternalError', 'etcd'))), end: 'unavailable' },
    { name: 'an ERROR event without a Status', script: sending(line('ERROR', {})), end: 'unreadable' },
    {
      name: 'the answer 410',
      script: ((_, reply) => reply.json(410, failure(410, 'Expired', 'too old'))) satisfies Script,
      end: 'expired',
    },
    { name: 'the answer 404', script: ((_, reply) => reply.text(404, '404 page not found\n')) satisfies Script, end: 'kindMissing' },
    {
      name: 'the answer 429',
      script: ((_, reply) => reply.json(429, failure(429, 'TooManyRequests', 'wait'))) satisfies Script,
      end: 'throttled',
    },
    { name: 'a line that is not JSON', script: sending('{"type":"ADDED"\n'), end: 'unreadable' },
    { name: 'a line that is no event', script: sending('[]\n'), end: 'unreadable' },
    { name: 'an object of another kind', script: sending(line('ADDED', { ...pod('a'), kind: 'ConfigMap' })), end: 'unreadable' },
    { name: 'an object without a name', script: sending(line('ADDED', { kind: 'Pod', metadata: {} })), end: 'unreadable' },
    { name: 'an object without metadata', script: sending(line('DELETED', { kind: 'Pod' })), end: 'unreadable' },
    { name: 'an unknown type', script: sending(line('RENAMED', pod('a'))), end: 'unreadable' },
    { name: 'a stream that ends inside an event', script: sending('{"type":"ADDED",'), end: 'unreachable' },
    { name: 'an event without end', script: sending('x'.repeat(6_000), 'x'.repeat(6_000)), end: 'unreadable' },
  ])('ends with $end at $name', async ({ script, end }) => {
    const { kube } = await connect(script);
    expect(await read(kube)).toEqual([end]);
  });

  it('tells what came before a fault', async () => {
    const { kube } = await connect(sending(line('ADDED', pod('a')) + line('ERROR', failure(410, 'Expired', 'too old'))));
    expect(await read(kube)).toEqual([{ type: 'ADDED', object: pod('a') }, 'expired']);
  });

  it('is unreachable when its connection is cut', async () => {
    const { kube, server } = await connect((_, reply) => {
      reply.begin();
      reply.write(line('ADDED', pod('a')));
      setTimeout(() => server.relay.cut(), 30);
    });
    expect(await read(kube)).toEqual([{ type: 'ADDED', object: pod('a') }, 'unreachable']);
  });

  it('is unreachable soon after its connection falls silent', async () => {
    const { kube, server } = await connect((_, reply) => {
      reply.begin();
      server.relay.freeze();
    }, createFastClock(20));
    expect(await read(kube)).toEqual(['unreachable']);
  });

  it('outlives the deadline of calls once it has begun', async () => {
    const { kube } = await connect((_, reply) => {
      reply.begin();
      // At twentyfold speed the 30 s of a call pass in 1.5 s.
      setTimeout(() => {
        reply.write(line('ADDED', pod('late')));
        reply.end();
      }, 1_800);
    }, createFastClock(20));
    expect(await read(kube)).toEqual([{ type: 'ADDED', object: pod('late') }, 'end']);
  });

  it('is a timeout when it does not begin', async () => {
    const { kube } = await connect(() => {}, createFastClock(20));
    expect(await read(kube)).toEqual(['timeout']);
  });

  it('hides nothing behind events already read when it is aborted', async () => {
    const controller = new AbortController();
    const { kube } = await connect(sending(line('ADDED', pod('a')) + line('ADDED', pod('b')) + line('ADDED', pod('c'))));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of kube.watch(pods, { resourceVersion: '7', signal: controller.signal })) {
        seen.push(event.type);
        controller.abort();
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'aborted', message: 'watching pods in all namespaces: aborted by the caller' });
    expect(seen).toEqual(['ADDED']);
  });

  it('ends with `aborted` when the client is closed', async () => {
    const { kube, server } = await connect((_, reply) => reply.begin());
    const reading = read(kube);
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    kube.close();
    expect(await reading).toEqual(['aborted']);
  });

  it('leaves the server when its reader leaves', async () => {
    let open: Reply | undefined;
    const { kube } = await connect((_, reply) => {
      open = reply;
      reply.begin();
      reply.write(line('ADDED', pod('a')));
    });
    for await (const event of kube.watch(pods, { resourceVersion: '7' })) {
      expect(event.type).toBe('ADDED');
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(open?.closed()).toBe(true);
  });
});
