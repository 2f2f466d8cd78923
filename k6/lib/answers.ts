import { b64encode } from 'k6/encoding';
import grpc from 'k6/net/grpc';
import { setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';
import type { SeenEvent } from '../../src/bench/observer.ts';
import { executeTask, loadClient } from './performer-client.ts';

const client = loadClient();
const payload = b64encode('{}');
/** A node that does not route to a Service yet refuses connections, or drops what is sent: then the next one is sooner through. */
const knockEveryMs = 25;
const patienceMs = 500;

interface Awaited {
  address?: string;
  isReady: boolean;
}

/**
 * Calls new Performers through their Services, each from when a pod of it is ready until it answers for the first time. The call itself holds up the
 * event loop for a millisecond or two, in which nothing else is seen; so it is made once something takes connections there.
 */
export class Answers {
  readonly #port: number;
  readonly #onAnswer: (key: string) => void;
  readonly #awaited = new Map<string, Awaited>();

  constructor(port: number, onAnswer: (key: string) => void) {
    this.#port = port;
    this.#onAnswer = onAnswer;
  }

  /** Before the Performer is asked for. */
  expect(key: string): void {
    if (this.#port > 0) this.#awaited.set(key, { isReady: false });
  }

  see({ object: { kind, metadata, spec, status } }: SeenEvent): void {
    const owner = metadata?.ownerReferences?.find((one) => one.kind === 'Performer');
    const key = `${metadata?.namespace}/${owner?.name}`;
    const awaited = this.#awaited.get(key);
    if (awaited === undefined) return;
    if (spec?.clusterIP !== undefined) awaited.address = spec.clusterIP;
    const isReady = kind === 'Pod' && status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
    if (!isReady || awaited.isReady) return;
    awaited.isReady = true;
    void this.#call(key, awaited);
  }

  /** Nobody waits for the others any longer. */
  close(): void {
    this.#awaited.clear();
  }

  async #call(key: string, awaited: Awaited): Promise<void> {
    while (this.#awaited.has(key)) {
      if (awaited.address !== undefined) void this.#knock(key, `${awaited.address}:${this.#port}`);
      await new Promise<void>((resolve) => void setTimeout(resolve, knockEveryMs));
    }
  }

  async #knock(key: string, target: string): Promise<void> {
    const isTaken = await takesConnections(target);
    if (!isTaken || !this.#awaited.has(key) || !answers(target)) return;
    this.#awaited.delete(key);
    this.#onAnswer(key);
  }
}

/** Of k6, only WebSockets connect without blocking; a performer answers their request with nonsense, or hangs up. */
function takesConnections(target: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://${target}`, null, { tags: { name: 'knock' } });
    socket.onerror = (event) => resolve(!/dial|timeout|refused/.test(String(event?.error)));
    socket.onopen = () => socket.close();
    socket.onclose = () => resolve(true);
  });
}

function answers(target: string): boolean {
  try {
    client.connect(target, { plaintext: true, timeout: patienceMs });
    return executeTask(client, b64encode('first'), payload, patienceMs).status === grpc.StatusOK;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
