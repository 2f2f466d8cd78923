import { canonicalJson, sameJson } from '../../src/lib/canonical-json.ts';
import type { Finding } from './campaign.ts';
import { targetText } from './kinds.ts';
import type { Operation } from './operations.ts';

/** A difference as a person reads it: the steps, and what each side made of the last one, from where they part. */
export function formatFinding({ seed, operations, difference }: Finding): string {
  const { model, real, what } = difference;
  const steps = operations.map((operation, index) => `  ${String(index + 1).padStart(2)}. ${operationText(operation)}`);
  let same = 0;
  while (same < model.length && same < real.length && model[same] === real[same]) same += 1;
  const shown = (side: string, lines: readonly string[], others: readonly string[]): readonly string[] =>
    lines.length === same
      ? [`  ${side}  nothing more`]
      : lines.slice(same).map((line, index) => `  ${side}  ${essence(line, [others[same + index], lines[same + index - 1]])}`);
  return [
    `seed ${seed}: they differ in ${what}`,
    ...steps,
    ...(same === 0 ? [] : [`         ${same} the same`]),
    ...shown('model', model, real),
    ...shown('real ', real, model),
  ].join('\n');
}

/** Only what an object has that the ones it stands beside have not. */
function essence(line: string, others: readonly (string | undefined)[]): string {
  const at = line.indexOf('{');
  const beside = others.find((other) => other !== undefined && other !== line && other.includes('{'));
  if (at < 0 || beside === undefined) return line.slice(0, maxLine);
  const other = JSON.parse(beside.slice(beside.indexOf('{'))) as Members;
  const own = Object.entries(JSON.parse(line.slice(at)) as Members).filter(([key, value]) => !sameJson(value, other[key]));
  const gone = Object.keys(other).filter((key) => !line.includes(`"${key}":`));
  return `${line.slice(0, at)}… ${canonicalJson(Object.fromEntries(own))}${gone.length === 0 ? '' : ` without ${gone.join(', ')}`}`.slice(
    0,
    maxLine,
  );
}

type Members = Readonly<Record<string, unknown>>;
const maxLine = 600;

export function operationText(operation: Operation): string {
  const { verb, ...rest } = operation;
  if (!('target' in rest)) return `${verb} ${canonicalJson(rest)}`;
  const { target, ...details } = rest;
  const shown = Object.entries(details).map(([name, value]) => `${name}=${typeof value === 'string' ? value : canonicalJson(value)}`);
  return [verb, targetText(target), ...shown].join(' ');
}
