import { describe, expect, it, vi } from 'vitest';
import { codeOfCall } from '../../support/grpc-clients.ts';
import { serve } from '../../support/served-performer.ts';

describe('grpc.health.v1', () => {
  const service = 'eigenlayer.hourglass.v1.performer.PerformerService';

  it.each(['', service])('serves "%s"', async (name) => {
    const { client } = await serve();
    expect(await client.check(name)).toBe('SERVING');
  });

  it('is NOT_FOUND for Check and SERVICE_UNKNOWN for Watch of a service that is not known', async () => {
    const { client } = await serve();
    expect(await codeOfCall(client.check('other'))).toBe('NOT_FOUND');
    const watch = client.watch('other');
    await vi.waitFor(() => expect(watch.seen).toEqual(['SERVICE_UNKNOWN']));
    watch.cancel();
  });

  it('pushes each change to whoever watches, once', async () => {
    const { client, performer } = await serve();
    const watch = client.watch(service);
    await vi.waitFor(() => expect(watch.seen).toEqual(['SERVING']));
    performer.setServing(false);
    performer.setServing(false);
    await vi.waitFor(() => expect(watch.seen).toEqual(['SERVING', 'NOT_SERVING']));
    expect(await client.check('')).toBe('NOT_SERVING');
    expect(await codeOfCall(client.execute('1', ''))).toBe('OK');
    performer.setServing(true);
    await vi.waitFor(() => expect(watch.seen).toEqual(['SERVING', 'NOT_SERVING', 'SERVING']));
    watch.cancel();
  });

  it('tells watches of the drain first and ends them, so that they hold nothing up', async () => {
    const { client, performer } = await serve({}, { lagMs: 100, graceMs: 10_000 });
    const watches = ['', 'other'].map((name) => client.watch(name));
    await vi.waitFor(() => expect(watches.map(({ seen }) => seen)).toEqual([['SERVING'], ['SERVICE_UNKNOWN']]));
    const startedMs = performance.now();
    const drained = performer.drain();
    performer.setServing(true);
    await vi.waitFor(() => expect(watches[0]?.seen).toEqual(['SERVING', 'NOT_SERVING']));
    await drained;
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(watches.map(({ seen }) => seen)).toEqual([
      ['SERVING', 'NOT_SERVING', 'UNAVAILABLE'],
      ['SERVICE_UNKNOWN', 'UNAVAILABLE'],
    ]);
  });
});
