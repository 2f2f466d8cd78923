import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { PerformerHandlers } from '../../../src/performer/kit.ts';
import { codeOfCall, GrpcClient } from '../../support/grpc-clients.ts';
import { startRelay } from '../../support/relay.ts';
import { gate, serve } from '../../support/served-performer.ts';

const executePath = '/eigenlayer.hourglass.v1.performer.PerformerService/ExecuteTask';
const inMs = (ms: number): { deadline: number } => ({ deadline: Date.now() + ms });

describe('drain', () => {
  it('answers what is in flight and what is sent during the lag, and loses no call', async () => {
    const { executeTask, open, begun } = gate();
    const { client, performer, events } = await serve({ executeTask }, { lagMs: 300 });
    const early = [client.execute('1', 'a'), client.execute('2', 'b')];
    await vi.waitFor(() => expect(begun()).toBe(2));
    const drained = performer.drain();
    expect(await client.check('')).toBe('NOT_SERVING');
    const late = client.execute('3', 'c');
    using another = new GrpcClient(performer.port);
    const lateElsewhere = another.execute('4', 'd');
    await vi.waitFor(() => expect(events).toContainEqual({ kind: 'drain', phase: 'closing', inFlight: 4 }));
    open();
    expect((await Promise.all([...early, late, lateElsewhere])).map(({ result }) => result)).toEqual(['a', 'b', 'c', 'd']);
    expect(await drained).toEqual({ unanswered: 0 });
    expect(events.flatMap((event) => (event.kind === 'drain' ? [event.phase] : []))).toEqual(['lagging', 'closing', 'ended']);
  });

  it('is UNAVAILABLE for a call that comes after the lag, while earlier ones still run', async () => {
    const { executeTask, open, begun } = gate();
    const { client, performer, events } = await serve({ executeTask });
    const early = client.execute('1', 'a');
    await vi.waitFor(() => expect(begun()).toBe(1));
    const drained = performer.drain();
    await vi.waitFor(() => expect(events).toContainEqual({ kind: 'drain', phase: 'closing', inFlight: 1 }));
    await sleep(50);
    expect(await codeOfCall(client.execute('2', 'b', inMs(2_000)))).toBe('UNAVAILABLE');
    open();
    expect((await early).result).toBe('a');
    await drained;
    expect(begun()).toBe(1);
  });

  it('answers what a client sends before it hears that connections close', async () => {
    const { performer, events } = await serve({}, { graceMs: 5_000 });
    const relay = await startRelay(performer.port);
    using client = new GrpcClient(relay.port);
    await client.execute('1', 'a');
    relay.holdAnswers(true);
    const drained = performer.drain();
    await vi.waitFor(() => expect(events).toContainEqual({ kind: 'drain', phase: 'closing', inFlight: 0 }));
    // Long enough for a GOAWAY to be written, were there but one.
    await sleep(100);
    const late = client.execute('2', 'b');
    await vi.waitFor(() => expect(events.filter(({ kind }) => kind === 'call')).toHaveLength(2));
    relay.holdAnswers(false);
    expect((await late).result).toBe('b');
    expect(await drained).toEqual({ unanswered: 0 });
    await relay.close();
  });

  it('ends although a client never says that it has heard', async () => {
    const { performer, events } = await serve({}, { graceMs: 700 });
    const relay = await startRelay(performer.port);
    using mute = new GrpcClient(relay.port);
    await mute.execute('1', 'a');
    relay.freeze();
    expect(await performer.drain()).toEqual({ unanswered: 0 });
    expect(events).toContainEqual({ kind: 'drain', phase: 'ended', inFlight: 0 });
    await relay.close();
  });

  it('answers UNAVAILABLE to what still runs after the grace, and tells its handler', async () => {
    const { executeTask, begun, aborts } = gate();
    const { client, performer, events } = await serve({ executeTask }, { graceMs: 50 });
    const stuck = codeOfCall(client.execute('1', ''));
    await vi.waitFor(() => expect(begun()).toBe(1));
    expect(await performer.drain()).toEqual({ unanswered: 1 });
    expect(await stuck).toBe('UNAVAILABLE');
    expect(aborts).toEqual([expect.objectContaining({ code: 'UNAVAILABLE' })]);
    expect(events).toContainEqual({ kind: 'drain', phase: 'forced', inFlight: 1 });
  });

  it('ends although a handler never does, and although clients leave what they began unfinished', async () => {
    const { client, performer } = await serve({ executeTask: () => new Promise<never>(() => {}) }, { graceMs: 50 });
    const stuck = codeOfCall(client.execute('1', ''));
    const mute = connect(performer.port, '127.0.0.1').resume();
    const session = connectHttp2(`http://127.0.0.1:${performer.port}`);
    const half = session.request({ ':method': 'POST', ':path': executePath, 'content-type': 'application/grpc', te: 'trailers' });
    for (const end of [mute, session, half]) end.on('error', () => {});
    const closed = Promise.all([mute, session].map((end) => new Promise<void>((resolve) => void end.once('close', () => resolve()))));
    half.write(Buffer.from([0, 0]));
    await vi.waitFor(() => expect([performer.inFlight, session.connecting, mute.connecting]).toEqual([1, false, false]));
    await sleep(20);
    expect(await performer.drain()).toEqual({ unanswered: 1 });
    expect(await stuck).toBe('UNAVAILABLE');
    await closed;
  });

  it('loses none of many calls under load by clients that go elsewhere when told to', async () => {
    const slow: PerformerHandlers['executeTask'] = async ({ payload }) => {
      await sleep(20);
      return payload;
    };
    const first = await serve({ executeTask: slow }, { lagMs: 50, graceMs: 5_000 });
    const second = await serve({ executeTask: slow });
    const codes: string[] = [];
    const answered = async (task: number): Promise<void> => {
      // What an executor does with a call that no handler has seen.
      const code = await codeOfCall(first.client.execute(`${task}`, 'x'));
      codes.push(code === 'UNAVAILABLE' ? await codeOfCall(second.client.execute(`${task}`, 'x')) : code);
    };
    const calls: Promise<void>[] = [];
    const drained = sleep(100).then(() => first.performer.drain());
    for (; second.events.length < 20 && calls.length < 5_000; await sleep(2)) calls.push(answered(calls.length));
    await Promise.all(calls);
    expect(await drained).toEqual({ unanswered: 0 });
    expect(codes.filter((code) => code !== 'OK')).toEqual([]);
    const ran = [first, second].flatMap(({ events }) => events.filter((event) => event.kind === 'call'));
    expect(ran).toHaveLength(calls.length);
    expect(second.events.length).toBeGreaterThanOrEqual(20);
    expect(ran.every((event) => event.kind === 'call' && event.origin === 'ran')).toBe(true);
  });

  it('starts at a signal, once, and lets go of the signal at the end', async () => {
    const before = process.listenerCount('SIGUSR2');
    const { performer, events } = await serve({}, { signals: ['SIGUSR2'], lagMs: 50 });
    expect(process.listenerCount('SIGUSR2')).toBe(before + 1);
    process.kill(process.pid, 'SIGUSR2');
    process.kill(process.pid, 'SIGUSR2');
    expect(await performer.ended).toEqual({ unanswered: 0 });
    expect(events.filter((event) => event.kind === 'drain').map(({ phase }) => phase)).toEqual(['lagging', 'closing', 'ended']);
    expect(process.listenerCount('SIGUSR2')).toBe(before);
  });

  it('is the same drain when asked for twice', async () => {
    const { performer, events } = await serve();
    await Promise.all([performer.drain(), performer.drain()]);
    expect(events.filter((event) => event.kind === 'drain' && event.phase === 'lagging')).toHaveLength(1);
  });
});
