/** The API server of many objects, in a process of its own; told by its parent what to change, tells it who writes. */
import { readFileSync } from 'node:fs';
import { ManyObjects } from './api-server.ts';
import { ObjectTexts } from './object-texts.ts';
import type { Settled } from './settled.ts';

/** To the parent. Times are of this process's clock. */
export type ServerMessage =
  | { readonly kubeconfig: string }
  | { readonly wrote: string; readonly index: number; readonly atMs: number }
  | { readonly changed: number; readonly atMs: number };

const [settledPath = '', count = ''] = process.argv.slice(2);
const tell = (message: ServerMessage): void => void process.send?.(message);
const texts = new ObjectTexts(JSON.parse(readFileSync(settledPath, 'utf8')) as Settled, Number(count));
const server = new ManyObjects(texts, (wrote, index, atMs) => tell({ wrote, index, atMs }));
process.on('message', ({ change }: { readonly change: number }) => {
  tell({ changed: change, atMs: performance.now() });
  server.change(change, 'registry.example.com/avs:2');
});
process.on('disconnect', () => process.exit());
tell({ kubeconfig: (await server.listen()).kubeconfig });
