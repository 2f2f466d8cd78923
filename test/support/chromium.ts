import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { installDebianPackages } from '../../src/testbed/debian-packages.ts';

const program = '/usr/bin/chromium';
const answerWithinMs = 30_000;

/** A page in a browser without a window. */
export interface Page {
  /** Of everything the page asked for since it was opened, itself included. */
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
  show(look: { readonly scheme: 'light' | 'dark'; readonly width?: number }): Promise<void>;
  /** The value of an expression in the page. */
  evaluate<T>(expression: string): Promise<T>;
  /** A PNG of a part of the page, in base64. */
  photograph(from: number, to: number): Promise<string>;
  close(): Promise<void>;
}

/** Opens a file's URL in headless Chromium, which is installed where there is none. It is asked over a pipe: no port is opened. */
export async function openPage(url: string): Promise<Page> {
  if (!existsSync(program)) installDebianPackages(['chromium']);
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--hide-scrollbars'];
  const child = spawn(program, [...flags, '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const gone = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await gone;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  const [requests, complaints]: [string[], string[]] = [[], []];
  const waiting = new Map<number, (message: Message) => void>();
  const loaded = Promise.withResolvers<void>();
  const onMessage = (message: Message): void => {
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    if (message.method === 'Network.requestWillBeSent') requests.push(message.params?.request?.url ?? '');
    if (message.method === 'Log.entryAdded') complaints.push(message.params?.entry?.text ?? '');
    if (message.method === 'Page.loadEventFired') loaded.resolve();
  };
  let rest = '';
  (child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\0');
    rest = parts.pop() ?? '';
    for (const part of parts) onMessage(JSON.parse(part) as Message);
  });
  let [lastId, sessionId] = [0, undefined as string | undefined];
  const ask = async (method: string, params: object = {}): Promise<Result> => {
    lastId += 1;
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    waiting.set(lastId, resolve);
    const timer = setTimeout(() => reject(new Error(`${method}: no answer from ${program}`)), answerWithinMs);
    (child.stdio[3] as Writable).write(`${JSON.stringify({ id: lastId, method, params, sessionId })}\0`);
    const { result = {}, error } = await promise.finally(() => clearTimeout(timer));
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  try {
    const { targetInfos = [] } = await ask('Target.getTargets');
    const targetId = targetInfos.find(({ type }) => type === 'page')?.targetId;
    sessionId = (await ask('Target.attachToTarget', { targetId, flatten: true })).sessionId;
    for (const domain of ['Network', 'Log', 'Page']) await ask(`${domain}.enable`);
    await ask('Page.navigate', { url });
    await loaded.promise;
  } catch (error) {
    await close();
    throw error;
  }
  return {
    requests,
    complaints,
    show: async ({ scheme, width = 1_240 }) => {
      await ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
      await ask('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 });
    },
    evaluate: async <T>(expression: string) => {
      const { result, exceptionDetails } = await ask('Runtime.evaluate', { expression, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(`in the page: ${exceptionDetails.text}`);
      return result?.value as T;
    },
    photograph: async (from, to) => {
      const clip = { x: 0, y: from, width: 1_240, height: to - from, scale: 1 };
      return (await ask('Page.captureScreenshot', { clip, captureBeyondViewport: true })).data ?? '';
    },
    close,
  };
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly request?: { readonly url: string }; readonly entry?: { readonly text: string } };
  readonly result?: Result;
  readonly error?: { readonly message: string };
}

interface Result {
  readonly targetInfos?: readonly { readonly type: string; readonly targetId: string }[];
  readonly sessionId?: string;
  readonly result?: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly text: string };
  readonly data?: string;
}
