import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { env } from 'node:process';
import { z } from 'zod';
import { hashHex } from '../../src/lib/hash.ts';
import { clustersHome } from '../../src/testbed/cluster-state.ts';

/** What is done to a cluster that does not stand on the cluster itself: experiments of Chaos Mesh do. */
const entry = z.object({ part: z.enum(['kube-apiserver', 'etcd']), does: z.enum(['stop', 'hang']) });
export type JournalEntry = z.infer<typeof entry>;

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
  remove({ part, does }: JournalEntry): void {
    const left = this.read().filter((one) => one.part !== part || one.does !== does);
    if (left.length > 0) this.#write(left);
    else rmSync(this.#path, { force: true });
  }

  #write(entries: readonly JournalEntry[]): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    writeFileSync(`${this.#path}.new`, JSON.stringify(entries), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}
