import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type CallOptions, type ChannelOptions, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  PerformerService,
  StartSyncRequestSchema,
  TaskRequestSchema,
} from '../../src/grpc/gen/eigenlayer/hourglass/v1/performer/performer_pb.ts';
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
} from '../../src/grpc/gen/grpc/health/v1/health_pb.ts';
import { buildServiceDefinition } from '../../src/grpc/service-definition.ts';

const performerMethods = buildServiceDefinition(PerformerService);
const healthMethods = buildServiceDefinition(Health);
type Call = CallOptions & { readonly signal?: AbortSignal };

export interface HealthWatch {
  /** Every status so far, by name; then the code that ended the watch, if one did. */
  readonly seen: readonly string[];
  cancel(): void;
}

/** One channel to a performer, without retries of its own, so that a lost call is seen. */
export class GrpcClient implements Disposable {
  readonly #client: Client;

  /** @param target port of this machine, or `host:port` */
  constructor(target: number | string, options: ChannelOptions = {}) {
    const address = typeof target === 'number' ? `127.0.0.1:${target}` : target;
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      ...options,
    });
  }

  async execute(id: string, payload: string, { signal, ...options }: Call = {}): Promise<{ readonly id: string; readonly result: string }> {
    const request = create(TaskRequestSchema, { taskId: Buffer.from(id), payload: Buffer.from(payload) });
    const { path, requestSerialize, responseDeserialize } = performerMethods.executeTask;
    const { taskId, result } = await new Promise<ReturnType<typeof responseDeserialize>>((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        options,
        (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
      );
      signal?.addEventListener('abort', () => call.cancel());
    });
    return { id: Buffer.from(taskId).toString(), result: Buffer.from(result).toString() };
  }

  /** Resolves once the channel is connected. Throws after `ms`. */
  async connected(ms: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#client.waitForReady(Date.now() + ms, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  async startSync(payload: MessageInitShape<typeof StartSyncRequestSchema>): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = performerMethods.startSync;
    await new Promise<void>((resolve, reject) => {
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, create(StartSyncRequestSchema, payload), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }

  /** Sends bytes as they are: what another implementation would send. */
  raw(path: string, request: Buffer): Promise<Buffer> {
    const same = (bytes: Buffer): Buffer => bytes;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, same, same, request, (error, answer) => (answer === undefined ? reject(error) : resolve(answer)));
    });
  }

  async check(service: string): Promise<string> {
    const { path, requestSerialize, responseDeserialize } = healthMethods.check;
    const answer = await new Promise<HealthCheckResponse>((resolve, reject) => {
      const request = create(HealthCheckRequestSchema, { service });
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) =>
        response === undefined ? reject(error) : resolve(response),
      );
    });
    return statusName(answer);
  }

  watch(service: string): HealthWatch {
    const { path, requestSerialize, responseDeserialize } = healthMethods.watch;
    const seen: string[] = [];
    const stream = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      create(HealthCheckRequestSchema, { service }),
    );
    stream.on('data', (answer: HealthCheckResponse) => seen.push(statusName(answer)));
    stream.on('error', (error: ServiceError) => seen.push(codeName(error)));
    return { seen, cancel: () => stream.cancel() };
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

const statusName = (answer: HealthCheckResponse): string =>
  Object.entries(HealthCheckResponse_ServingStatus).find(([, value]) => value === answer.status)?.[0] ?? String(answer.status);

export const codeName = (error: unknown): string => status[(error as ServiceError).code] ?? String(error);

/** The status code a call ended with, `OK` included. */
export async function codeOfCall(call: Promise<unknown>): Promise<string> {
  return call.then(() => 'OK', codeName);
}
