import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { type PerformerHandlers, servePerformer, TaskError } from '../../../src/performer/kit.ts';
import { codeName, codeOfCall, GrpcClient } from '../../support/grpc-clients.ts';
import { gate, serve } from '../../support/served-performer.ts';

const inMs = (ms: number): { deadline: number } => ({ deadline: Date.now() + ms });
const id = `0x${'ab'.repeat(32)}`;
const executePath = '/eigenlayer.hourglass.v1.performer.PerformerService/ExecuteTask';

describe('a performer', () => {
  it('answers with the result and the id of the request', async () => {
    const { client } = await serve({ executeTask: ({ payload }) => Buffer.from(payload).reverse() });
    expect(await client.execute(id, 'abc')).toEqual({ id, result: 'cba' });
  });

  it('keeps to the wire of the contract: bytes task_id = 1, bytes payload or result = 2', async () => {
    const { client } = await serve();
    const message = Buffer.from([0x0a, 2, 0x30, 0x78, 0x12, 3, 1, 2, 3]);
    expect(await client.raw(executePath, message)).toEqual(message);
  });

  it('answers StartSync, with or without a handler', async () => {
    const seen: string[] = [];
    const { client } = await serve({ startSync: (payload) => void seen.push(Buffer.from(payload).toString()) });
    await client.startSync({ payload: Buffer.from('state') });
    expect(seen).toEqual(['state']);
    const { client: other } = await serve();
    await other.startSync({});
  });

  it('hands the handler the id as text and the deadline of the caller', async () => {
    const seen: { id: string; deadlineMs: number }[] = [];
    const { client } = await serve({ executeTask: (task) => Buffer.alloc(seen.push({ id: task.id, deadlineMs: task.deadlineMs })) });
    const deadline = Date.now() + 5_000;
    await client.execute(id, '1', { deadline });
    await client.execute('2', '2');
    expect(seen[0]?.id).toBe(id);
    expect(Math.abs((seen[0]?.deadlineMs ?? 0) - deadline)).toBeLessThan(1_000);
    expect(seen[1]?.deadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('names the address it cannot have', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await vi.waitFor(() => expect(holder.listening).toBe(true));
    const { port } = holder.address() as { port: number };
    await expect(serve({}, { port })).rejects.toThrow(`serving the performer on 127.0.0.1:${port}: `);
    holder.close();
  });

  it('takes the port from GRPC_PORT when none is given, and refuses one that is none', async () => {
    vi.stubEnv('GRPC_PORT', 'eighty');
    await expect(servePerformer({ executeTask: () => Buffer.of() })).rejects.toThrow('GRPC_PORT must be a port');
    vi.stubEnv('GRPC_PORT', '0');
    const performer = await servePerformer({ executeTask: () => Buffer.of() }, { lagMs: 0, signals: [] });
    using client = new GrpcClient(performer.port);
    expect(await codeOfCall(client.execute(id, ''))).toBe('OK');
    await performer.drain();
    vi.unstubAllEnvs();
  });

  it('listens on every address by default', async () => {
    const performer = await servePerformer({ executeTask: () => Buffer.of() }, { port: 0, lagMs: 0, signals: [] });
    const addresses = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).filter(({ internal }) => internal));
    expect(addresses.length).toBeGreaterThan(0);
    for (const { address } of addresses) {
      const socket = connect(performer.port, address);
      await once(socket, 'connect');
      socket.destroy();
    }
    await performer.drain();
  });
});

describe('the status of a failed task', () => {
  it.each<{ name: string; handlers: Partial<PerformerHandlers>; taskId?: string; code: string; details: string }>([
    { name: 'an empty task_id', handlers: {}, taskId: '', code: 'INVALID_ARGUMENT', details: 'task_id is empty' },
    {
      name: 'an endless task_id',
      handlers: {},
      taskId: 'x'.repeat(257),
      code: 'INVALID_ARGUMENT',
      details: 'task_id is longer than 256 bytes',
    },
    { name: 'a task found unsound', handlers: { validateTask: () => 'not a number' }, code: 'INVALID_ARGUMENT', details: 'not a number' },
    {
      name: 'a failure meant for the caller',
      handlers: {
        executeTask: () => {
          throw new TaskError('FAILED_PRECONDITION', 'chain not synced – später');
        },
      },
      code: 'FAILED_PRECONDITION',
      details: 'chain not synced – später',
    },
    {
      name: 'a failure of any other kind, whose text may hold a secret',
      handlers: { executeTask: () => Promise.reject(new Error('postgres://u:hunter2@db')) },
      code: 'INTERNAL',
      details: 'the performer failed',
    },
    {
      name: 'a handler that gives no bytes',
      handlers: { executeTask: () => 'text' as never },
      code: 'INTERNAL',
      details: 'the performer failed',
    },
    {
      name: 'a validation that throws',
      handlers: {
        validateTask: () => {
          throw new Error('hunter2');
        },
      },
      code: 'INTERNAL',
      details: 'the performer failed',
    },
    {
      name: 'a message that no trailer can hold',
      handlers: {
        executeTask: () => {
          throw new TaskError('ABORTED', `${'x'.repeat(999)}😀${'y'.repeat(100_000)}`);
        },
      },
      code: 'ABORTED',
      details: `${'x'.repeat(999)}\ufffd`,
    },
  ])('is $code for $name', async ({ handlers, taskId = id, code, details }) => {
    const { client } = await serve(handlers);
    const error = await client.execute(taskId, 'x').then(
      () => undefined,
      (failure: unknown) => failure as { details: string },
    );
    expect(codeName(error)).toBe(code);
    expect(error?.details).toBe(details);
  });

  it('is RESOURCE_EXHAUSTED beyond the tasks it takes at once, and OK again afterwards', async () => {
    const { executeTask, open, begun } = gate();
    const { client, performer } = await serve({ executeTask }, { maxInFlight: 2 });
    const running = [client.execute('1', ''), client.execute('2', '')];
    await vi.waitFor(() => expect(begun()).toBe(2));
    expect(performer.inFlight).toBe(2);
    expect(await codeOfCall(client.execute('3', ''))).toBe('RESOURCE_EXHAUSTED');
    open();
    await Promise.all(running);
    expect(performer.inFlight).toBe(0);
    expect(await codeOfCall(client.execute('3', ''))).toBe('OK');
  });

  it.each([
    { name: 'request', payload: 'x'.repeat(1_000), result: Buffer.of() },
    { name: 'result', payload: '', result: Buffer.alloc(1_000) },
  ])('is RESOURCE_EXHAUSTED for a $name that is too large', async ({ payload, result }) => {
    const { client } = await serve({ executeTask: () => result }, { maxMessageBytes: 1_000 });
    expect(await codeOfCall(client.execute(id, payload))).toBe('RESOURCE_EXHAUSTED');
  });

  it('is DEADLINE_EXCEEDED after the deadline, and the handler is told', async () => {
    const { executeTask, aborts } = gate();
    const { client, events, performer } = await serve({ executeTask });
    await client.check('');
    expect(await codeOfCall(client.execute(id, '', inMs(200)))).toBe('DEADLINE_EXCEEDED');
    await vi.waitFor(() => expect(aborts).toEqual([expect.objectContaining({ code: 'DEADLINE_EXCEEDED' })]));
    await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ kind: 'call', code: 'DEADLINE_EXCEEDED' })));
    expect(performer.inFlight).toBe(0);
  });

  it('is CANCELLED when the caller cancels, and the handler is told', async () => {
    const { executeTask, aborts, begun } = gate();
    const { client, events } = await serve({ executeTask });
    const cancel = new AbortController();
    const call = codeOfCall(client.execute(id, '', { signal: cancel.signal }));
    await vi.waitFor(() => expect(begun()).toBe(1));
    cancel.abort();
    expect(await call).toBe('CANCELLED');
    await vi.waitFor(() => expect(aborts).toEqual([expect.objectContaining({ code: 'CANCELLED' })]));
    await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ kind: 'call', code: 'CANCELLED' })));
  });
});

describe('a client that goes away', () => {
  it('takes its task with it', async () => {
    const { executeTask, aborts, begun } = gate();
    const { performer } = await serve({ executeTask });
    const session = connectHttp2(`http://127.0.0.1:${performer.port}`);
    session.on('error', () => {});
    const stream = session.request({ ':method': 'POST', ':path': executePath, 'content-type': 'application/grpc', te: 'trailers' });
    stream.on('error', () => {});
    stream.end(Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x31]));
    await vi.waitFor(() => expect(begun()).toBe(1));
    session.socket.destroy();
    await vi.waitFor(() => expect(aborts).toHaveLength(1));
    await vi.waitFor(() => expect(performer.inFlight).toBe(0));
  });

  it('never asked for anything: the performer lives on', async () => {
    const { performer, client } = await serve();
    const socket = connect(performer.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await sleep(20);
    socket.destroy();
    expect(await codeOfCall(client.execute(id, ''))).toBe('OK');
  });
});

describe('events', () => {
  it('tell each call, how its result came about, and what the caller does not get to read', async () => {
    const secret = new Error('hunter2');
    const { client, events } = await serve({ executeTask: ({ payload }) => (payload.length === 0 ? Promise.reject(secret) : payload) });
    await client.execute('1', 'x');
    await client.execute('1', 'x');
    await codeOfCall(client.execute('2', ''));
    await client.startSync({});
    const durationMs = expect.any(Number) as number;
    expect(events).toEqual([
      { kind: 'health', serving: true },
      { kind: 'call', method: 'ExecuteTask', code: 'OK', origin: 'ran', durationMs },
      { kind: 'call', method: 'ExecuteTask', code: 'OK', origin: 'remembered', durationMs },
      { kind: 'call', method: 'ExecuteTask', code: 'INTERNAL', error: secret, durationMs },
      { kind: 'call', method: 'StartSync', code: 'OK', durationMs },
    ]);
  });

  it('cost no call when their listener throws', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const { client } = await serve(
      {},
      {
        onEvent: () => {
          throw new Error('listener');
        },
      },
    );
    expect(await codeOfCall(client.execute(id, ''))).toBe('OK');
    expect((await warned).message).toContain('onEvent of the performer failed: Error: listener');
  });
});
