import { create } from '@bufbuild/protobuf';
import { type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../grpc/gen/grpc/health/v1/health_pb.ts';

type Watch = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/** `grpc.health.v1`: statuses by service name, and everybody who watches one. The empty name is the server as a whole. */
export class Health {
  readonly #statuses = new Map<string, ServingStatus>();
  readonly #watches = new Map<Watch, ServingStatus>();
  #ended = false;

  set(service: string, serving: boolean): void {
    this.#statuses.set(service, serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
    this.#tellWatches();
  }

  /** Ends every watch: a server that shuts down waits for its open streams. */
  endWatches(): void {
    this.#ended = true;
    for (const watch of this.#watches.keys()) end(watch);
    this.#watches.clear();
  }

  readonly handlers = {
    check: ({ request }: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>, answer: sendUnaryData<HealthCheckResponse>): void => {
      const known = this.#statuses.get(request.service);
      if (known === undefined) answer({ code: status.NOT_FOUND, details: 'no such service' });
      else answer(null, create(HealthCheckResponseSchema, { status: known }));
    },
    watch: (watch: Watch): void => {
      const leave = (): void => void this.#watches.delete(watch);
      watch.once('cancelled', leave);
      watch.once('close', leave);
      this.#watches.set(watch, ServingStatus.UNKNOWN);
      this.#tellWatches();
      if (this.#ended) end(watch);
    },
  };

  // A status that has not changed is not sent again.
  #tellWatches(): void {
    for (const [watch, told] of this.#watches) {
      const current = this.#statuses.get(watch.request.service) ?? ServingStatus.SERVICE_UNKNOWN;
      if (current === told) continue;
      this.#watches.set(watch, current);
      watch.write(create(HealthCheckResponseSchema, { status: current }));
    }
  }
}

function end(watch: Watch): void {
  watch.emit('error', { code: status.UNAVAILABLE, details: 'the performer is shutting down' });
}
