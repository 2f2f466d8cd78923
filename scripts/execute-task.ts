/** `npm run task -- ADDRESS [PAYLOAD]`: sends one task to a performer and prints its answer. */
import { randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { PerformerService, TaskRequestSchema } from '../src/grpc/gen/eigenlayer/hourglass/v1/performer/performer_pb.ts';
import { buildServiceDefinition } from '../src/grpc/service-definition.ts';

const patienceMs = 30_000;
const [address, payload = ''] = process.argv.slice(2);
if (address === undefined) {
  console.error('usage: npm run task -- HOST:PORT [PAYLOAD]');
  process.exitCode = 2;
} else {
  const client = new Client(address, credentials.createInsecure());
  // Executors name a task by 32 bytes, written out.
  const taskId = Buffer.from(`0x${randomBytes(32).toString('hex')}`);
  const { path, requestSerialize, responseDeserialize } = buildServiceDefinition(PerformerService).executeTask;
  const request = create(TaskRequestSchema, { taskId, payload: Buffer.from(payload) });
  const options = { deadline: Date.now() + patienceMs };
  client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), options, (error, answer) => {
    client.close();
    if (answer !== undefined) console.log(Buffer.from(answer.result).toString());
    else fail(error);
  });
}

function fail(error: ServiceError | null): void {
  console.error(`hourglass: ${address}: ${error === null ? 'no answer' : `${status[error.code]}: ${error.details}`}`);
  process.exitCode = 1;
}
