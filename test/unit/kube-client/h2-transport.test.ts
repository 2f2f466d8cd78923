import { constants } from 'node:http2';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { Connector } from '../../../src/kube-client/connect.ts';
import { createTransport } from '../../../src/kube-client/h2-transport.ts';
import type { Lane, Transport, TransportAnswer } from '../../../src/kube-client/transport.ts';
import { type Clock, systemClock } from '../../../src/lib/clock.ts';
import { createFastClock } from '../../support/fast-clock.ts';
import { type Reply, type Script, type ScriptedServer, startScriptedServer } from '../../support/scripted-server.ts';

let server: ScriptedServer | undefined;
let transport: Transport | undefined;
afterEach(async () => {
  transport?.close();
  await server?.close();
  transport = server = undefined;
});

async function connect(script: Script, clock: Clock = systemClock): Promise<{ transport: Transport; server: ScriptedServer }> {
  const started = await startScriptedServer(script);
  const config = started.config();
  const made = createTransport(config.server, new Connector(config, clock), clock);
  server = started;
  transport = made;
  return { transport: made, server: started };
}

function get(through: Transport, path = '/', lane: Lane = 'call'): Promise<TransportAnswer> {
  return through.send({ method: 'GET', path, headers: {}, body: undefined, lane, signal: new AbortController().signal });
}

async function textOf(answer: TransportAnswer): Promise<string> {
  let text = '';
  for await (const chunk of answer.body) text += String(chunk);
  return text;
}

describe('the HTTP/2 transport', () => {
  it('makes one connection for a thousand calls, one after the other and side by side', async () => {
    const { transport, server } = await connect((_, reply) => reply.text(200, 'ok'));
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(Array.from({ length: 90 }, () => get(transport).then(textOf)));
      expect(new Set(answers)).toEqual(new Set(['ok']));
    }
    for (let call = 0; call < 100; call += 1) await get(transport).then(textOf);
    expect(server.requests).toHaveLength(1_000);
    expect(server.relay.connections()).toBe(1);
  });

  it('keeps watches off the connection of calls', async () => {
    const { transport, server } = await connect((_, reply) => reply.begin());
    await Promise.all([get(transport), get(transport, '/', 'watch'), get(transport, '/', 'watch')]);
    expect(server.relay.connections()).toBe(2);
  });

  it('opens another connection above a hundred requests under way, and lets it go when they are done', async () => {
    const open: Reply[] = [];
    const { transport, server } = await connect(({ path }, reply) => {
      reply.begin();
      if (path === '/long') open.push(reply);
      else reply.end();
    });
    const answers = await Promise.all(Array.from({ length: 101 }, () => get(transport, '/long', 'watch')));
    expect(server.relay.connections()).toBe(2);
    for (const reply of open) reply.end();
    await Promise.all(answers.map(textOf));
    for (let call = 0; call < 5; call += 1) await get(transport, '/short', 'watch').then(textOf);
    expect(server.relay.connections()).toBe(2);
  });

  it('finishes what a server that goes away has begun, and sends what is new on a new connection', async () => {
    const replies: Reply[] = [];
    const { transport, server } = await connect(({ path }, reply) => {
      if (path !== '/slow') reply.text(200, 'new');
      else {
        replies.push(reply);
        reply.begin();
        reply.session().goaway(constants.NGHTTP2_NO_ERROR);
      }
    });
    const slow = await get(transport, '/slow');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await textOf(await get(transport))).toBe('new');
    expect(server.relay.connections()).toBe(2);
    replies[0]?.write('done');
    replies[0]?.end();
    expect(await textOf(slow)).toBe('done');
    expect(slow.complete()).toBe(true);
  });

  it.each<{ name: string; script: Script; stage: string; sent: boolean }>([
    { name: 'refused it', script: (_, reply) => reply.refuse(), stage: 'refused', sent: false },
    {
      name: 'broke down over it',
      script: (_, reply) => reply.session().goaway(constants.NGHTTP2_INTERNAL_ERROR),
      stage: 'broken',
      sent: true,
    },
    { name: 'dropped the connection', script: (_, reply) => reply.session().destroy(), stage: 'broken', sent: true },
  ])('knows how far a request came whose server $name', async ({ script, stage, sent }) => {
    const { transport } = await connect(script);
    await expect(get(transport)).rejects.toMatchObject({ name: 'TransportError', stage, sent });
  });

  it('drops a connection that gives no sign of life, so that its watches fail fast', async () => {
    const { transport, server } = await connect((_, reply) => reply.begin(), createFastClock(20));
    const watch = await get(transport, '/', 'watch');
    server.relay.freeze();
    const startedMs = Date.now();
    await expect(textOf(watch)).rejects.toThrow();
    expect(watch.complete()).toBe(false);
    // 3 s between pings and 3 s to answer, at twentyfold speed.
    expect(Date.now() - startedMs).toBeLessThan(1_000);
  });

  it('drops it, too, when it fell silent before the request', async () => {
    const { transport, server } = await connect((_, reply) => reply.text(200, 'ok'), createFastClock(20));
    await get(transport).then(textOf);
    server.relay.freeze();
    await expect(get(transport)).rejects.toMatchObject({ stage: 'broken', sent: true });
  });

  it('costs calls one after the other no ping each', async () => {
    let pings = 0;
    let seen: unknown;
    const { transport } = await connect((_, reply) => {
      if (seen !== reply.session()) reply.session().on('ping', () => (pings += 1));
      seen = reply.session();
      reply.text(200, 'ok');
    });
    for (let call = 0; call < 20; call += 1) {
      await get(transport).then(textOf);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(pings).toBeLessThanOrEqual(1);
  });

  it('keeps a connection whose peer answers pings, however quiet its watch is', async () => {
    const replies: Reply[] = [];
    const { transport, server } = await connect((_, reply) => {
      replies.push(reply);
      reply.begin();
    }, createFastClock(20));
    const watch = await get(transport, '/', 'watch');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    replies[0]?.write('still here');
    replies[0]?.end();
    expect(await textOf(watch)).toBe('still here');
    expect(server.relay.connections()).toBe(1);
  });

  it('keeps a connection that is going away, too, and drops it when it falls silent', async () => {
    const { transport, server } = await connect((_, reply) => {
      reply.begin();
      reply.session().goaway(constants.NGHTTP2_NO_ERROR);
    }, createFastClock(20));
    const watch = await get(transport, '/', 'watch');
    let ended = false;
    const reading = textOf(watch)
      .catch(() => '')
      .finally(() => {
        ended = true;
      });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(ended).toBe(false);
    server.relay.freeze();
    await reading;
    expect(watch.complete()).toBe(false);
  });

  it('knows a body that was cut off from one that ended', async () => {
    const { transport, server } = await connect(({ path }, reply) => {
      reply.begin();
      reply.write('half');
      if (path === '/whole') reply.end();
      if (path === '/reset') setTimeout(() => reply.refuse(), 20);
    });
    const whole = await get(transport, '/whole');
    await textOf(whole);
    expect(whole.complete()).toBe(true);
    for (const lane of ['call', 'watch'] as const) {
      const reset = await get(transport, '/reset', lane);
      await textOf(reset).catch(() => '');
      expect(reset.complete()).toBe(false);
    }
    const cut = await get(transport, '/cut');
    setTimeout(() => server.relay.cut(), 20);
    await textOf(cut).catch(() => '');
    expect(cut.complete()).toBe(false);
  });

  it('has all of an answer whose connection ended right after it, however late it is read', async () => {
    const { transport, server } = await connect((_, reply) => {
      reply.text(200, 'x'.repeat(1_000_000));
      setTimeout(() => server.relay.cut(), 100);
    });
    const answer = await get(transport);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await textOf(answer)).toHaveLength(1_000_000);
    expect(answer.complete()).toBe(true);
  });

  it('reads no faster than its reader: a server that sends without end is held back', async () => {
    const { transport } = await connect((_, reply) => {
      reply.begin();
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      for (let index = 0; index < 64; index += 1) {
        reply.write(chunk);
      }
      reply.end();
    });
    const answer = await get(transport, '/', 'watch');
    let read = 0;
    const iterator = answer.body[Symbol.asyncIterator]();
    read += (await iterator.next()).value.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (!(answer.body instanceof Readable)) throw new Error('the body of a watch is a stream');
    expect(answer.body.readableLength).toBeLessThan(8 * 1024 * 1024);
    // Others on the same connection are served meanwhile.
    expect((await get(transport, '/', 'watch')).status).toBe(200);
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
      read += Buffer.byteLength(next.value as Buffer);
    expect(read).toBe(64 * 1024 * 1024);
  });
});
