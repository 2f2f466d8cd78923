import { setTimeout as sleep } from 'node:timers/promises';
import { explain, findSkip } from './exceptions.ts';
import { MemorySide } from './memory-side.ts';
import type { LogEntry } from './object-log.ts';
import type { Operation } from './operations.ts';
import { admissionLagMs, type RealCluster, type RealSide } from './real-cluster.ts';
import { callOf, type ReadingOperation } from './side.ts';

export interface Difference {
  /** Which step; the first is 0. */
  readonly step: number;
  /** In what the sides differ: `answer`, `events`, `watch`, `usage`, `order`. */
  readonly what: string;
  readonly model: readonly string[];
  readonly real: readonly string[];
}

/** Until the controllers of the real cluster have come as far as the model; a namespace is emptied with pauses. */
const restMs = 15_000;
const namespaceRestMs = 180_000;

export interface Outcome {
  /** Steps that were taken on both sides. */
  readonly steps: number;
  readonly difference?: Difference;
  /** Ids of the exceptions that were needed. */
  readonly exceptions: readonly string[];
  /** What both sides answered, by verb: `delete ok`, `put 409 Conflict`. */
  readonly answers: readonly string[];
}

/** Runs the steps on both sides, one after the other, and stops at the first difference. */
export async function runSequence(cluster: RealCluster, operations: readonly Operation[]): Promise<Outcome> {
  const real = await cluster.openSide();
  try {
    return await new Comparison(real).run(operations);
  } finally {
    await real.release();
  }
}

class Comparison {
  readonly #model = new MemorySide();
  readonly #real: RealSide;
  readonly #marks: { readonly model: bigint; readonly real: bigint }[] = [];
  readonly #exceptions = new Set<string>();
  readonly #answers: string[] = [];
  #leaves = false;

  constructor(real: RealSide) {
    this.#real = real;
  }

  async run(operations: readonly Operation[]): Promise<Outcome> {
    this.#mark();
    for (const [step, operation] of operations.entries()) {
      const found = await this.#take(operation);
      if (found !== undefined) return this.#end(step + 1, { step, ...found });
    }
    const late = findUnequal(this.#model, this.#real);
    const disorder = this.#real.log.findDisorder() ?? this.#model.log.findDisorder();
    const last = operations.length - 1;
    if (late !== undefined) return this.#end(last + 1, { step: last, ...this.#describe(late) });
    return this.#end(last + 1, disorder === undefined ? undefined : { step: last, what: 'order of versions', model: [], real: [disorder] });
  }

  #end(steps: number, difference: Difference | undefined): Outcome {
    const exception = difference === undefined ? undefined : explain(difference);
    const exceptions = [...this.#exceptions, ...(exception === undefined ? [] : [exception.id])];
    return { steps, exceptions, answers: this.#answers, ...(difference === undefined || exception !== undefined ? {} : { difference }) };
  }

  async #take(operation: Operation): Promise<Omit<Difference, 'step'> | undefined> {
    const [model, real] = [this.#model, this.#real];
    const hasQuota = model.usage() !== undefined;
    const skip = findSkip(operation, {
      hasQuota,
      exists: (target) => model.log.latest(target) !== undefined,
      isDeleting: (target) => model.log.latest(target)?.metadata?.deletionTimestamp !== undefined,
    });
    if (skip !== undefined) {
      this.#exceptions.add(skip.id);
      return undefined;
    }
    if (operation.verb === 'watch') {
      const found = await compareWatch(model, real, operation, this.#marks);
      return found === undefined ? undefined : { what: 'watch', ...found };
    }
    const run = (side: MemorySide | RealSide): Promise<string> =>
      operation.verb === 'quota' ? side.setQuota(operation.hard) : side.run(callOf(operation, side.log));
    const [ofModel, ofReal] = await Promise.all([run(model), run(real)]);
    if (ofModel !== ofReal) return { what: 'answer', model: [ofModel], real: [ofReal] };
    this.#answers.push(`${operation.verb} ${ofModel}`);
    this.#leaves ||= operation.verb === 'delete' && operation.target.kind === 'namespace' && ofModel === 'ok';
    const isSame = await real.until(() => findUnequal(model, real) === undefined, this.#leaves ? namespaceRestMs : restMs);
    if (this.#leaves) await sleep(admissionLagMs);
    this.#mark();
    return isSame ? undefined : this.#describe(findUnequal(model, real) ?? 'usage');
  }

  #describe(id: string): Omit<Difference, 'step'> {
    const [model, real] = [this.#model, this.#real];
    if (id === 'usage') return { what: id, model: [JSON.stringify(model.usage())], real: [JSON.stringify(real.usage)] };
    return { what: `events of ${id}`, model: model.log.story(id), real: real.log.story(id) };
  }

  #mark(): void {
    this.#marks.push({ model: this.#model.log.newest, real: this.#real.log.newest });
  }
}

function findUnequal(model: MemorySide, real: RealSide): string | undefined {
  const ids = new Set([...model.log.targets(), ...real.log.targets()]);
  for (const id of ids) if (model.log.story(id).join('\n') !== real.log.story(id).join('\n')) return id;
  return JSON.stringify(model.usage()) === JSON.stringify(real.usage) ? undefined : 'usage';
}

async function compareWatch(
  model: MemorySide,
  real: RealSide,
  operation: ReadingOperation,
  marks: readonly { readonly model: bigint; readonly real: bigint }[],
): Promise<{ readonly model: readonly string[]; readonly real: readonly string[] } | undefined> {
  const mark = operation.from === 'compacted' ? { model: 1n, real: 1n } : (marks.at(-1 - operation.from) ?? marks[0]);
  const ofModel = await model.watch(operation, String(mark?.model));
  const ofReal = await real.watch(operation, String(mark?.real), typeof ofModel === 'string' ? undefined : ofModel.length);
  const lines = (side: MemorySide | RealSide, seen: readonly LogEntry[] | string): readonly string[] =>
    typeof seen === 'string' ? [seen] : byObject(seen).map((entry) => side.log.digest(entry));
  const found = { model: lines(model, ofModel), real: lines(real, ofReal) };
  return found.model.join('\n') === found.real.join('\n') ? undefined : found;
}

/** The garbage collector takes several objects in any order. */
function byObject(entries: readonly LogEntry[]): readonly LogEntry[] {
  const name = ({ object }: LogEntry): string => object.metadata?.name ?? '';
  return entries.toSorted((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0));
}
