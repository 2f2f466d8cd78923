import { createServer, type IncomingMessage, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import type { NodeFault, NodeFaultId } from '../../src/testbed/nodes/node-faults.ts';
import type { Attack, AttackBook } from './attack-book.ts';
import { chooseFault } from './choose-fault.ts';

export interface AgentOptions {
  readonly nodes: readonly string[];
  readonly faults: Readonly<Record<NodeFaultId, NodeFault>>;
  readonly book: AttackBook;
  /** How long an answer may take: Chaos Mesh waits for 5 s, and asks again. */
  readonly answerWithinMs?: number;
  readonly say: (line: string) => void;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const maxBodyBytes = 65_536;
const bodySchema = z.looseObject({ uid: z.string().check(z.regex(/^[\w.-]{1,128}$/)) });
const route = /^\/([\w.-]+)\/api\/attack\/([\w.-]+)$/;

/**
 * The two calls of PhysicalMachineChaos, for nodes that are told apart by the first part of the path: `POST /NODE/api/attack/ACTION` does
 * what the attack names, `DELETE /NODE/api/attack/UID` takes it back. Either may come twice. What is not known is answered by 4xx.
 */
export function createAgent(options: AgentOptions): Server {
  const agent = new Agent(options);
  return createServer((request, response) => {
    void agent
      .answer(request)
      .catch((error: unknown): Answer => ({ status: 500, text: error instanceof Error ? error.message : String(error) }))
      .then(({ status, text }) => {
        options.say(`${request.method} ${request.url}: ${status} ${text}`);
        response.writeHead(status, { 'content-type': 'text/plain' }).end(`${text}\n`);
      });
  });
}

class Agent {
  readonly #options: AgentOptions;
  /** What is being done, by attack and deed: who asks again waits for the same. */
  readonly #going = new Map<string, Promise<void>>();
  /** The end of what was last begun on a node: one thing at a time. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage): Promise<Answer> {
    const [, node = '', what = ''] = route.exec(request.url ?? '') ?? [];
    const { nodes } = this.#options;
    if (node === '') return { status: 404, text: 'use POST /NODE/api/attack/ACTION or DELETE /NODE/api/attack/UID' };
    if (!nodes.includes(node)) return { status: 404, text: `node ${node}: there are ${nodes.join(', ')}` };
    if (request.method === 'DELETE') return await this.#takeBack(node, what);
    if (request.method !== 'POST') return { status: 405, text: 'use POST or DELETE' };
    const body = bodySchema.safeParse(await readJson(request));
    if (!body.success) return { status: 400, text: 'the body is no attack: it needs a uid of letters, digits, dots and dashes' };
    const choice = chooseFault(what, body.data);
    if ('refused' in choice) return { status: 400, text: choice.refused };
    return await this.#attack(node, body.data.uid, choice.fault);
  }

  async #attack(node: string, uid: string, fault: NodeFaultId): Promise<Answer> {
    const { book, faults } = this.#options;
    const attack = { node, uid, fault, done: false };
    const stands = book.find(node, uid);
    if (stands !== undefined && stands.fault !== fault)
      return { status: 409, text: `attack ${uid}: it is ${stands.fault}; take it back first` };
    return await this.#do(attack, 'apply', async () => {
      // To do a reboot again would be another one.
      if (book.find(node, uid)?.done === true) return;
      // Others that are not there any more were undone by another hand, and nobody will take them back: this one is not to wait for that.
      if (!faults[fault].isThere(node)) book.removeOthers(attack);
      book.put(attack);
      try {
        await faults[fault].apply(node);
      } catch (error) {
        // Chaos Mesh takes back only what it was told to be done.
        if (book.isAlone(attack)) await faults[fault].undo(node).catch(() => undefined);
        book.remove(attack);
        throw error;
      }
      book.put({ ...attack, done: true });
    });
  }

  async #takeBack(node: string, uid: string): Promise<Answer> {
    const { book, faults } = this.#options;
    const attack = book.find(node, uid);
    if (attack === undefined) return { status: 404, text: `attack ${uid}: node ${node} has none of that uid` };
    return await this.#do(attack, 'undo', async () => {
      // Forgotten only once it is undone, unless another attack wants the same.
      if (book.isAlone(attack)) await faults[attack.fault].undo(node);
      book.remove(attack);
    });
  }

  async #do({ node, uid, fault }: Attack, deed: 'apply' | 'undo', act: () => Promise<void>): Promise<Answer> {
    const key = `${deed} ${node} ${uid}`;
    let going = this.#going.get(key);
    if (going === undefined) {
      going = (this.#last.get(node) ?? Promise.resolve()).then(act).finally(() => this.#going.delete(key));
      this.#going.set(key, going);
      this.#last.set(
        node,
        going.catch(() => undefined),
      );
    }
    const { answerWithinMs = 4_000 } = this.#options;
    const isDone = await Promise.race([going.then(() => true), sleep(answerWithinMs, false, { ref: false })]);
    if (!isDone) return { status: 503, text: `${deed} ${fault} on ${node}: still at it; ask again` };
    return { status: 200, text: `${deed} ${fault} on ${node}: done` };
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > maxBodyBytes) return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
