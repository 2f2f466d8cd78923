import { describe, expect, it } from 'vitest';
import { KubeFault } from '../../../src/kube/faults.ts';
import type { EventRecord } from '../../../src/kube/port.ts';
import { createEventRecorder, type EventRecorder } from '../../../src/telemetry/events.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const minute = 60_000;

/** An API server that keeps what it is sent, or answers with a fault. */
class Server {
  readonly clock = new FakeClock();
  readonly stored: EventRecord[] = [];
  readonly warnings: string[] = [];
  readonly dropped: unknown[] = [];
  calls = 0;
  fault: KubeFault | undefined;
  /** The API server knows none of the Events that are counted up. */
  forgets = false;
  readonly recorder: EventRecorder;

  constructor() {
    this.recorder = createEventRecorder({
      clock: this.clock,
      log: { debug: (_, fields) => void this.dropped.push(fields?.error), warn: (message) => void this.warnings.push(message) },
      kube: {
        serverNowMs: () => this.clock.nowMs(),
        event: async (record) => {
          this.calls += 1;
          if (this.fault !== undefined) throw this.fault;
          if (this.forgets && record.series !== undefined) throw new KubeFault('notFound', 'patching Event: not found (404)');
          this.stored.push(record);
        },
      },
    });
  }

  async tell(name: string, change: Partial<EventRecord> = {}, object = 'x'): Promise<void> {
    const regarding = { apiVersion: 'g/v1', kind: 'Performer', namespace: 'team-a', name: object, uid: `uid-${object}` };
    await this.recorder.event({
      regarding,
      name,
      type: 'Warning',
      reason: 'Crashing',
      message: 'it crashes',
      action: 'Reconcile',
      ...change,
    });
    await this.clock.advance(0);
  }

  /** `name` of those created, `name xCOUNT` of those counted up. */
  get said(): readonly string[] {
    return this.stored.map(({ name, series }) => (series === undefined ? name : `${name} x${series.count}`));
  }
}

describe('Events', () => {
  it('of one name are taken once, however often a pass tells it', async () => {
    const server = new Server();
    for (let pass = 0; pass < 3; pass += 1) await server.tell('x.1');
    expect(server.said).toEqual(['x.1']);
    expect(server.calls).toBe(1);
  });

  it('that say the same again within six minutes count into a series of the first, written once a minute', async () => {
    const server = new Server();
    await server.tell('x.1');
    for (let second = 2; second <= 10; second += 1) {
      await server.clock.advance(1_000);
      await server.tell(`x.${second}`);
    }
    expect(server.said).toEqual(['x.1', 'x.1 x2']);
    const lastMs = server.clock.nowMs();
    await server.clock.advance(minute);
    expect(server.said).toEqual(['x.1', 'x.1 x2', 'x.1 x10']);
    expect(server.stored.at(-1)?.series?.lastSeenMs).toBe(lastMs);
  });

  it('that say the same after six minutes are told anew', async () => {
    const server = new Server();
    await server.tell('x.1');
    await server.clock.advance(6 * minute);
    await server.tell('x.2');
    expect(server.said).toEqual(['x.1', 'x.2']);
  });

  it('that differ in their message are told each', async () => {
    const server = new Server();
    for (let index = 1; index <= 3; index += 1) await server.tell(`x.${index}`, { message: `restart ${index}` });
    expect(server.said).toEqual(['x.1', 'x.2', 'x.3']);
  });

  it('on one object are 25 at once and then one in five minutes; other objects have their own', async () => {
    const server = new Server();
    for (let index = 0; index < 40; index += 1) await server.tell(`x.${index}`, { reason: `R${index}` });
    expect(server.stored).toHaveLength(25);
    await server.tell('y.1', {}, 'y');
    expect(server.stored).toHaveLength(26);
    await server.clock.advance(5 * minute);
    await server.tell('x.a', { reason: 'A' });
    await server.tell('x.b', { reason: 'B' });
    expect(server.said.slice(26)).toEqual(['x.a']);
  });

  it('are tried three times when the API server fails, and never fail a pass', async () => {
    const server = new Server();
    server.fault = new KubeFault('unavailable', 'creating Event: etcd is away (503)');
    await server.tell('x.1');
    await server.clock.advance(minute);
    expect(server.calls).toBe(3);
    expect(server.dropped).toEqual(['creating Event: etcd is away (503)']);
    server.fault = undefined;
    await server.tell('x.2', { reason: 'Other' });
    expect(server.said).toEqual(['x.2']);
  });

  it('that are forbidden go off, said once, and are tried again after ten minutes', async () => {
    const server = new Server();
    server.fault = new KubeFault('forbidden', 'creating Event team-a/x.1: not allowed (403)');
    await server.tell('x.1');
    await server.tell('x.2', { reason: 'Other' });
    expect(server.calls).toBe(1);
    expect(server.warnings).toEqual(['Events are off: not allowed']);
    server.fault = undefined;
    await server.clock.advance(10 * minute);
    await server.tell('x.3', { reason: 'Third' });
    expect(server.said).toEqual(['x.3']);
  });

  it('that a terminating namespace refuses are no fault of anybody', async () => {
    const server = new Server();
    server.fault = new KubeFault('forbidden', 'creating Event team-a/x.1: forbidden: the namespace is being terminated (403)');
    await server.tell('x.1');
    expect(server.warnings).toEqual([]);
  });

  it('are created anew when the series to count up was forgotten', async () => {
    const server = new Server();
    await server.tell('x.1');
    server.forgets = true;
    await server.tell('x.2');
    expect(server.said).toEqual(['x.1', 'x.1']);
    server.forgets = false;
    await server.clock.advance(minute);
    await server.tell('x.3');
    expect(server.said).toEqual(['x.1', 'x.1', 'x.1 x3']);
  });

  it('that wait are stored before it closes, for as long as it may', async () => {
    const server = new Server();
    for (const name of ['x.1', 'x.2', 'x.3']) await server.tell(name);
    expect(server.said).toEqual(['x.1', 'x.1 x2']);
    await server.recorder.close(1_000);
    expect(server.said).toEqual(['x.1', 'x.1 x2', 'x.1 x3']);
    await server.tell('x.4');
    expect(server.stored).toHaveLength(3);
    expect(server.clock.pending).toBe(0);
  });

  it('of an API server that does not answer hold the end up no longer than that', async () => {
    const server = new Server();
    server.fault = new KubeFault('unreachable', 'no connection');
    await server.tell('x.1');
    let closed = false;
    const closing = server.recorder.close(1_500).then(() => {
      closed = true;
    });
    await server.clock.advance(1_499);
    expect(closed).toBe(false);
    await server.clock.advance(1);
    await closing;
    expect(closed).toBe(true);
  });
});
