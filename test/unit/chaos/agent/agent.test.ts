import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAgent } from '../../../../chaos/agent/agent.ts';
import { AttackBook } from '../../../../chaos/agent/attack-book.ts';
import { type NodeFault, type NodeFaultId, nodeFaultIds, nodeFaultKinds } from '../../../../src/testbed/nodes/node-faults.ts';
import { portOf } from '../../../support/relay.ts';

let folder: string;
let deeds: string[];
/** What a deed waits for, and how it ends. */
let end: Promise<void>;
/** What is there, as the machine tells: `FAULT NODE`. */
let there: Set<string>;
let server: Server;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hourglass-agent-'));
  deeds = [];
  there = new Set();
  end = Promise.resolve();
  await start();
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

/** A new agent that knows what its forerunners wrote. */
async function start(): Promise<void> {
  server?.close();
  const faultOf = (id: NodeFaultId): NodeFault => ({
    id,
    ...nodeFaultKinds[id],
    apply: async (node) => {
      deeds.push(`${id} ${node}`);
      await end;
      there.add(`${id} ${node}`);
    },
    undo: async (node) => {
      deeds.push(`${nodeFaultKinds[id].undoId} ${node}`);
      await end;
      there.delete(`${id} ${node}`);
    },
    isThere: (node) => there.has(`${id} ${node}`),
  });
  const faults = Object.fromEntries(nodeFaultIds.map((id) => [id, faultOf(id)])) as Record<NodeFaultId, NodeFault>;
  const book = new AttackBook(join(folder, 'attacks.json'));
  server = createAgent({ nodes: ['n1', 'n2'], faults, book, answerWithinMs: 100, say: () => undefined });
  await once(server.listen(0, '127.0.0.1'), 'listening');
}

async function ask(method: string, path: string, body?: unknown): Promise<[number, string]> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const answer = await fetch(`http://127.0.0.1:${portOf(server.address())}${path}`, init);
  return [answer.status, (await answer.text()).trim()];
}
const attack = (node: string, uid: string, attackCmd = 'power-off'): Promise<[number, string]> =>
  ask('POST', `/${node}/api/attack/user_defined`, { uid, action: '', attackCmd });
const takeBack = (node: string, uid: string): Promise<[number, string]> => ask('DELETE', `/${node}/api/attack/${uid}`);

describe('the agent', () => {
  it('does once what is asked twice, and takes it back once', async () => {
    expect(await attack('n1', 'a')).toEqual([200, 'apply power-off on n1: done']);
    expect(await attack('n1', 'a')).toEqual([200, 'apply power-off on n1: done']);
    expect(await takeBack('n1', 'a')).toEqual([200, 'undo power-off on n1: done']);
    expect(await takeBack('n1', 'a')).toEqual([404, 'attack a: node n1 has none of that uid']);
    expect(deeds).toEqual(['power-off n1', 'power-on n1']);
  });

  it('takes back what an agent before it did, and does what that one left half done', async () => {
    await attack('n1', 'a');
    await start();
    await attack('n1', 'a');
    const path = join(folder, 'attacks.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('true', 'false'));
    await start();
    await attack('n1', 'a');
    await takeBack('n1', 'a');
    expect(deeds).toEqual(['power-off n1', 'power-off n1', 'power-on n1']);
  });

  it('undoes a fault with the last attack that wants it, on each node by itself', async () => {
    for (const [node, uid] of [
      ['n1', 'a'],
      ['n1', 'b'],
      ['n2', 'a'],
    ] as const)
      await attack(node, uid);
    deeds = [];
    await takeBack('n1', 'a');
    expect(deeds).toEqual([]);
    await takeBack('n1', 'b');
    expect(deeds).toEqual(['power-on n1']);
  });

  it('undoes a fault whatever attack nobody took back, once another hand has undone that', async () => {
    await attack('n1', 'left');
    there.clear();
    await start();
    await attack('n1', 'a');
    deeds = [];
    expect(await takeBack('n1', 'a')).toEqual([200, 'undo power-off on n1: done']);
    expect(deeds).toEqual(['power-on n1']);
    expect((await takeBack('n1', 'left'))[0]).toBe(404);
  });

  it('answers in time, and who asks again waits for the same deed', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    end = promise;
    expect(await attack('n1', 'a')).toEqual([503, 'apply power-off on n1: still at it; ask again']);
    const again = attack('n1', 'a');
    resolve();
    expect((await again)[0]).toBe(200);
    expect(deeds).toEqual(['power-off n1']);
  });

  it('undoes what failed, and forgets it', async () => {
    end = Promise.reject(new Error('node n1: no kubelet runs on it'));
    end.catch(() => undefined);
    expect(await attack('n1', 'a', 'freeze')).toEqual([500, 'node n1: no kubelet runs on it']);
    expect(deeds).toEqual(['freeze n1', 'thaw n1']);
    expect((await takeBack('n1', 'a'))[0]).toBe(404);
  });

  it('does nothing that it does not know', async () => {
    expect(await attack('n1', 'a', 'rm -rf /')).toMatchObject([400, expect.stringContaining('it runs no commands')]);
    expect(await attack('n3', 'a')).toEqual([404, 'node n3: there are n1, n2']);
    expect(await attack('n1', '../a')).toMatchObject([400, expect.stringContaining('uid')]);
    expect(await ask('POST', '/n1/api/attack/user_defined', 'x'.repeat(70_000))).toMatchObject([400, expect.anything()]);
    expect(await ask('GET', '/n1/api/attack/a')).toEqual([405, 'use POST or DELETE']);
    expect((await ask('GET', '/'))[0]).toBe(404);
    await attack('n1', 'a');
    expect(await attack('n1', 'a', 'freeze')).toEqual([409, 'attack a: it is power-off; take it back first']);
    expect(deeds).toEqual(['power-off n1']);
  });

  it('names a book that it cannot read', async () => {
    const path = join(folder, 'attacks.json');
    await writeFile(path, '[{}]');
    expect(() => new AttackBook(path)).toThrow(`attacks in ${path}: they cannot be read; remove the file`);
  });
});
