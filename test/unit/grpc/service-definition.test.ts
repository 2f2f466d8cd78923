import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { PerformerService, TaskRequestSchema } from '../../../src/grpc/gen/eigenlayer/hourglass/v1/performer/performer_pb.ts';
import { Health, HealthCheckResponseSchema } from '../../../src/grpc/gen/grpc/health/v1/health_pb.ts';
import { buildServiceDefinition } from '../../../src/grpc/service-definition.ts';

describe('a service definition', () => {
  it.each([
    { method: buildServiceDefinition(PerformerService).startSync, path: '/eigenlayer.hourglass.v1.performer.PerformerService/StartSync' },
    {
      method: buildServiceDefinition(PerformerService).executeTask,
      path: '/eigenlayer.hourglass.v1.performer.PerformerService/ExecuteTask',
    },
    { method: buildServiceDefinition(Health).check, path: '/grpc.health.v1.Health/Check' },
    { method: buildServiceDefinition(Health).watch, path: '/grpc.health.v1.Health/Watch' },
  ])('has $path', ({ method, path }) => {
    expect(method.path).toBe(path);
    expect(method.requestStream).toBe(false);
    expect(method.responseStream).toBe(path.endsWith('/Watch'));
  });

  it('writes exactly the bytes of a message, and reads them back', () => {
    const { requestSerialize, requestDeserialize } = buildServiceDefinition(PerformerService).executeTask;
    const request = create(TaskRequestSchema, { taskId: Buffer.from('0x'), payload: Buffer.from([1, 2]) });
    const bytes = requestSerialize(request);
    expect([...bytes]).toEqual([0x0a, 2, 0x30, 0x78, 0x12, 2, 1, 2]);
    expect(Buffer.from(requestDeserialize(bytes).payload)).toEqual(Buffer.from([1, 2]));
  });

  it.each([
    { status: 1 as const, bytes: [0x08, 1] },
    { status: 2 as const, bytes: [0x08, 2] },
    { status: 3 as const, bytes: [0x08, 3] },
  ])('writes health status $status as every probe reads it', ({ status, bytes }) => {
    const { responseSerialize } = buildServiceDefinition(Health).check;
    expect([...responseSerialize(create(HealthCheckResponseSchema, { status }))]).toEqual(bytes);
  });

  it('skips fields of a later version', () => {
    const { requestDeserialize } = buildServiceDefinition(PerformerService).executeTask;
    const request = requestDeserialize(Buffer.from([0x0a, 1, 0x31, 0x1a, 2, 1, 2]));
    expect(Buffer.from(request.taskId).toString()).toBe('1');
    expect(request.$unknown).toBeUndefined();
  });
});
