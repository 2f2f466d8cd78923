import grpc from 'k6/net/grpc';

const method = 'eigenlayer.hourglass.v1.performer.PerformerService/ExecuteTask';

/** A client that knows what performers are asked. k6 makes it only while a script is loaded. */
export function loadClient(): grpc.Client {
  const client = new grpc.Client();
  client.load([import.meta.resolve('../../proto')], 'eigenlayer/hourglass/v1/performer/performer.proto');
  return client;
}

/** Calls, and blocks the virtual user until there is an answer. @param id, payload in base64 */
export function executeTask(client: grpc.Client, id: string, payload: string, timeoutMs: number): grpc.Response {
  return client.invoke(method, { taskId: id, payload }, { timeout: timeoutMs });
}
