import { globSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installDebianPackages } from '../../src/testbed/debian-packages.ts';

/** Where Debian, Fedora and Alpine put it. */
const places = ['/usr/lib/*/faketime/libfaketimeMT.so.1', '/usr/lib{,64}/faketime/libfaketimeMT.so.1'];

/** The library that fakes a process's wall clock; root gets it from Debian's packages where it is missing. Undefined: it cannot be had here. */
export function findFaketime(): string | undefined {
  const find = (): string | undefined => globSync(places)[0];
  if (find() !== undefined || process.platform !== 'linux' || process.getuid?.() !== 0) return find();
  process.stderr.write('hourglass: installing the Debian package faketime, which lets a clock jump in a test …\n');
  installDebianPackages(['faketime']);
  return find();
}

/** The wall clock of a process that is started with `env`; its monotonic clock and its timers stay true. */
export class FakedClock {
  readonly env: Readonly<Record<string, string>>;
  readonly #dir: string;

  private constructor(dir: string, library: string) {
    this.#dir = dir;
    this.env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: join(dir, 'offset'),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  static async create(library: string): Promise<FakedClock> {
    const clock = new FakedClock(await mkdtemp(join(tmpdir(), 'hourglass-clock-')), library);
    await clock.set(0);
    return clock;
  }

  /** @param offsetSeconds how far it goes ahead of the true time from now on; behind, when negative */
  async set(offsetSeconds: number): Promise<void> {
    const path = join(this.#dir, 'offset');
    // In one step: the process may read it at any moment.
    await writeFile(`${path}.part`, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}`);
    await rename(`${path}.part`, path);
  }

  async remove(): Promise<void> {
    await rm(this.#dir, { recursive: true });
  }
}
