import { setTimeout as wait } from 'node:timers/promises';
import { splitLines } from '../../kube-client/body.ts';
import type { Exchange } from './exchange.ts';
import { type Fault, type FaultName, lengthOf, variantOf } from './faults.ts';

/** As much as an event may have; larger ones end the stream. */
const maxEventBytes = 64 * 1024 * 1024;
/** How many events back a replayed one may lie. */
const remembered = 8;
const flushMs = 10;
const notJson = '{"type":"MODIFIED","object":{"metadata":]}\n';

/**
 * Passes the events of a watch on, as `draw` says for each; bookmarks are left alone.
 *
 * @throws when the stream from the API server breaks off
 */
export async function passEvents(exchange: Exchange, body: AsyncIterable<Buffer>, draw: () => readonly Fault[]): Promise<void> {
  const past: Buffer[] = [];
  for await (const text of splitLines(body, maxEventBytes)) {
    const line = Buffer.from(`${text}\n`);
    const faults = text.startsWith('{"type":"BOOKMARK"') ? [] : draw();
    if (!(await passEvent(exchange, line, faults, past))) return;
    past.push(line);
    if (past.length > remembered) past.shift();
  }
  exchange.end();
}

/** Those that befall the body of an answer as a whole. */
export const spoilsBody: ReadonlySet<FaultName> = new Set(['truncated-body', 'slow-bytes', 'bad-json']);

/** Passes an answer on as faults left it. */
export async function passSpoilt(exchange: Exchange, body: Buffer, faults: readonly Fault[]): Promise<void> {
  if (await passEvent(exchange, body, faults, [])) exchange.end();
}

export async function collect(body: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** @returns false when the stream has ended with this event */
async function passEvent(exchange: Exchange, line: Buffer, faults: readonly Fault[], past: readonly Buffer[]): Promise<boolean> {
  const find = (name: Fault['name']): Fault | undefined => faults.find((fault) => fault.name === name);
  const late = find('late-event');
  if (late !== undefined && variantOf(late) === 'lag') await wait(lengthOf(late));
  const cut = find('truncated-body');
  if (cut !== undefined) {
    await exchange.write(line.subarray(0, line.length / 2));
    // Until it is out: RST overtakes what is still in a buffer.
    await wait(flushMs);
    if (variantOf(cut) === 'end') exchange.end();
    else exchange.cut();
    return false;
  }
  const slow = find('slow-bytes');
  const sent = find('bad-json') === undefined ? line : Buffer.from(notJson);
  await (slow === undefined ? exchange.write(sent) : exchange.writeSlowly(sent, lengthOf(slow)));
  if (find('duplicate-event') !== undefined) await exchange.write(sent);
  if (late !== undefined && variantOf(late) === 'replay')
    await exchange.write(past.find((old) => uidOf(old) === uidOf(line)) ?? past[0] ?? line);
  return true;
}

/** The first uid in an event is its object's own. */
function uidOf(line: Buffer): string | undefined {
  return /"uid":"([^"]+)"/.exec(line.toString('latin1'))?.[1];
}
