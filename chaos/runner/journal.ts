import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { env } from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { hashHex } from '../../src/lib/hash.ts';
import { clustersHome } from '../../src/testbed/cluster-state.ts';

/** What is done to a cluster that does not stand on the cluster itself, or whose end nobody else would bring: experiments of Chaos Mesh end. */
const entry = z.discriminatedUnion('does', [
  z.object({ does: z.enum(['stop', 'hang']), part: z.enum(['kube-apiserver', 'etcd']) }),
  z.object({ does: z.literal('stand'), node: z.string(), containerId: z.string() }),
  z.object({ does: z.literal('detour'), namespace: z.string(), name: z.string() }),
  z.object({ does: z.literal('squeeze') }),
]);
export type JournalEntry = z.infer<typeof entry>;
export type ControlPlaneEntry = Extract<JournalEntry, { readonly does: 'stop' | 'hang' }>;

/** What an earlier run left, and what sets it right by hand. Pure. */
export function describeEntry(entry: JournalEntry): { readonly what: string; readonly remedy: string } {
  switch (entry.does) {
    case 'stop':
    case 'hang': {
      const verb = entry.does === 'stop' ? 'start' : 'continue';
      return { what: `${entry.part} was left without an answer`, remedy: `bin/hourglass dev component ${verb} ${entry.part}` };
    }
    case 'stand':
      return { what: `a container of the operator was left standing on ${entry.node}`, remedy: 'delete its pod' };
    case 'detour': {
      const { namespace, name } = entry;
      const command = `kubectl set env -n ${namespace} deployment/${name} KUBERNETES_SERVICE_HOST- KUBERNETES_SERVICE_PORT- KUBERNETES_SERVICE_PORT_HTTPS-`;
      return { what: `Deployment ${namespace}/${name} was left without its API server`, remedy: command };
    }
    case 'squeeze':
      return { what: 'the operator was left with one place at the API server', remedy: 'kubectl delete flowschema/hourglass-squeeze' };
  }
}

/** On disk before it is done, so that the next run takes back what a killed one could not. One file for each API server. */
export class Journal {
  readonly #path: string;

  constructor(server: string, home = dirname(clustersHome(env))) {
    this.#path = join(home, 'chaos', `${hashHex(server)}.json`);
  }

  read(): readonly JournalEntry[] {
    // It is put in its place whole: what cannot be read was written by somebody else.
    return existsSync(this.#path) ? z.array(entry).parse(JSON.parse(readFileSync(this.#path, 'utf8'))) : [];
  }

  add(entry: JournalEntry): void {
    this.#write([...this.read(), entry]);
  }

  /** Once it was taken back. */
  remove(entry: JournalEntry): void {
    const left = this.read().filter((one) => !isDeepStrictEqual(one, entry));
    if (left.length > 0) this.#write(left);
    else rmSync(this.#path, { force: true });
  }

  #write(entries: readonly JournalEntry[]): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    writeFileSync(`${this.#path}.new`, JSON.stringify(entries), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}
