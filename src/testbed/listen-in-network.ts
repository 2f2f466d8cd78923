import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:net';
import process from 'node:process';
import { TestbedError } from './testbed-error.ts';

/** Where to listen: at an address of the network of process `pid`. */
export interface NetworkPlace {
  readonly pid: number;
  readonly address: string;
}

const script = `
const server = require('node:net').createServer();
process.once('disconnect', () => process.exit());
server.once('error', (error) => process.send({ failed: error.message }));
server.listen(Number(process.argv[2]), process.argv[1], () => process.send({}, server));
`;

/**
 * A listener in another network for a server of this process to take over: a socket stays where it was made, whoever holds it.
 *
 * @param port 0 for any that is free
 * @throws TestbedError when nobody can listen there
 */
export async function listenInNetwork({ pid, address }: NetworkPlace, port: number): Promise<Server> {
  const command = [`--net=/proc/${pid}/ns/net`, process.execPath, '-e', script, address, String(port)];
  const child: ChildProcess = spawn('nsenter', command, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(([code]): [object] => [{ failed: `nsenter ended with exit code ${String(code)}` }]);
  const [{ failed }, server] = (await Promise.race([once(child, 'message'), ended])) as [{ failed?: string }, Server?];
  if (child.connected) child.disconnect();
  if (server === undefined) throw new TestbedError(`listening on ${address}:${port} in the network of process ${pid}: ${failed}`);
  return server;
}
