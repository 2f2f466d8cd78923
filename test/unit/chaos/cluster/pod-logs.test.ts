import { afterEach, describe, expect, it } from 'vitest';
import { type LogLine, PodLogs } from '../../../../chaos/cluster/pod-logs.ts';
import { type ScriptedServer, startScriptedServer } from '../../../support/scripted-server.ts';

let server: ScriptedServer;
let logs: PodLogs;
afterEach(async () => {
  logs.close();
  await server.close();
});
const pod = { namespace: 'ns', name: 'caller', uid: 'u' };

/** Follows a pod whose log is this each time: one that is refused, one that tells a line and ends, one that is never answered, one that tells a line and then nothing. */
async function follow(
  answers: readonly ('refused' | 'told' | 'silent' | 'stuck' | 'unknown' | 'there')[],
  silentMs?: number,
): Promise<{ readonly lines: LogLine[]; readonly ends: number[] }> {
  server = await startScriptedServer((_, reply) => {
    const answer = answers[server.requests.length - 1];
    if (answer === 'refused') return reply.text(503, 'no kubelet');
    if (answer === 'unknown') return reply.text(404, 'no container of that name');
    if (answer === 'there') return reply.text(200, '{}');
    if (answer === 'silent') return;
    reply.begin();
    reply.write(`{"kind":"answered","id":"t-${server.requests.length}"}\n`);
    if (answer === 'told') reply.end();
  }, 'https/1.1');
  logs = new PodLogs(server.config());
  const lines: LogLine[] = [];
  const ends: number[] = [];
  logs.follow(
    pod,
    (line) => lines.push(line),
    () => ends.push(server.requests.length),
    silentMs,
  );
  await expect.poll(() => server.requests.length, { timeout: 5_000 }).toBe(answers.length + 1);
  await expect.poll(() => lines.at(-1)?.id, { timeout: 5_000 }).toBe(`t-${answers.length + 1}`);
  return { lines, ends };
}

describe('a connection that tells what a pod says', () => {
  it('is told of when it ends, and begun anew', async () => {
    const { lines, ends } = await follow(['told']);
    expect(lines.map(({ id }) => id)).toEqual(['t-1', 't-2']);
    expect(ends).toEqual([1]);
  });

  it('has not ended where none came about', async () => {
    expect((await follow(['refused'])).ends).toEqual([]);
  });

  it('is begun anew where a kubelet that has just started does not know the pod, which is there', async () => {
    const { lines } = await follow(['told', 'unknown', 'there']);
    expect(lines.map(({ id }) => id)).toEqual(['t-1', 't-4']);
    expect(server.requests.map(({ path }) => path.split('?')[0]?.split('/').at(-1))).toEqual(['log', 'log', 'caller', 'log']);
  });

  it('is begun anew where it brings nothing, by which nobody hung up', async () => {
    const { lines, ends } = await follow(['silent', 'stuck'], 200);
    expect([lines.map(({ id }) => id), ends]).toEqual([['t-2', 't-3'], []]);
  });
});
