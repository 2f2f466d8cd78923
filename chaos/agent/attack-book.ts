import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { nodeFaultIds } from '../../src/testbed/nodes/node-faults.ts';
import { errnoCode } from '../../src/testbed/testbed-error.ts';

/** `done`: false until it is; whoever did it may have ended half-way. */
const attackSchema = z.object({ node: z.string(), uid: z.string(), fault: z.enum(nodeFaultIds), done: z.boolean() });
/** An attack that has not been taken back. */
export type Attack = z.infer<typeof attackSchema>;

/** The attacks that stand, in a file: an agent that starts anew takes back what the one before it did. */
export class AttackBook {
  readonly #path: string;
  #attacks: readonly Attack[];

  /** @throws Error when the file is there and cannot be read */
  constructor(path: string) {
    this.#path = path;
    this.#attacks = readAttacks(path);
  }

  find(node: string, uid: string): Attack | undefined {
    return this.#attacks.find((attack) => attack.node === node && attack.uid === uid);
  }

  /** In the place of what is known of it. */
  put(attack: Attack): void {
    this.#write([...this.#attacks.filter((other) => !isSame(other, attack)), attack]);
  }

  remove(attack: Attack): void {
    this.#write(this.#attacks.filter((other) => !isSame(other, attack)));
  }

  /** Whether no other attack that stands does the same to the node. */
  isAlone(attack: Attack): boolean {
    return !this.#attacks.some((other) => isRival(other, attack));
  }

  /** Those that do the same to the node. */
  removeOthers(attack: Attack): void {
    if (!this.isAlone(attack)) this.#write(this.#attacks.filter((other) => !isRival(other, attack)));
  }

  #write(attacks: readonly Attack[]): void {
    this.#attacks = attacks;
    writeFileSync(`${this.#path}.new`, JSON.stringify(attacks), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}

function isRival(one: Attack, other: Attack): boolean {
  return one.node === other.node && one.fault === other.fault && !isSame(one, other);
}

function isSame(one: Attack, other: Attack): boolean {
  return one.node === other.node && one.uid === other.uid;
}

function readAttacks(path: string): readonly Attack[] {
  try {
    return z.array(attackSchema).parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw new Error(`attacks in ${path}: they cannot be read; remove the file, and take back what was done: bin/hourglass dev status`, {
      cause: error,
    });
  }
}
