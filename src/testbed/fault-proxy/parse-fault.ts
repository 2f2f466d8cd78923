import { TestbedError } from '../testbed-error.ts';
import { type Fault, type FaultName, faultCatalogue, faultNames, type Match, type Rule } from './faults.ts';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };
const verbs: readonly string[] = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

/**
 * A rule as written on a command line: `NAME[=VARIANT,LENGTH][@verb:V,resource:R,path:REGEXP,nth:N,times:N,p:P]`,
 * e.g. `goaway=abrupt@verb:watch,p:0.1` or `delay=2s@resource:pods`. Pure.
 *
 * @throws TestbedError naming the part that cannot be read, and what it can be
 */
export function parseFault(text: string): Rule {
  const [what = '', about] = text.split(/@(.*)/s, 2);
  const [name = '', args = ''] = what.split('=', 2);
  if (!isFaultName(name))
    throw new TestbedError(`fault ${JSON.stringify(name)}: there is none of that name; use one of ${faultNames.join(', ')}`);
  const { variants, ...kind }: { readonly variants: readonly string[]; readonly ms?: number } = faultCatalogue[name];
  let fault: { name: FaultName; variant?: string; ms?: number } = { name };
  for (const arg of args.split(',').filter((part) => part !== '')) {
    const [, count, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(arg) ?? [];
    if (variants.includes(arg)) fault = { ...fault, variant: arg };
    else if (count !== undefined && kind.ms !== undefined) fault = { ...fault, ms: Number(count) * (units[unit] ?? 1) };
    else {
      const can = [...variants, ...(kind.ms === undefined ? [] : [`a length such as ${kind.ms}ms`])].join(', ');
      throw new TestbedError(`fault ${name}: cannot read ${JSON.stringify(arg)}; ${can === '' ? 'it takes nothing' : `give ${can}`}`);
    }
  }
  return { fault: fault as Fault, ...parseLimits(name, about) };
}

function parseLimits(name: string, about: string | undefined): Omit<Rule, 'fault'> {
  let match: Match = {};
  let limits: Omit<Rule, 'fault' | 'match'> = {};
  for (const part of (about ?? '').split(',').filter((text) => text !== '')) {
    const [key = '', value = ''] = part.split(/:(.*)/s, 2);
    const number = Number(value);
    if (key === 'verb' && verbs.includes(value)) match = { ...match, verb: value as NonNullable<Match['verb']> };
    else if (key === 'resource' && value !== '') match = { ...match, resource: value };
    else if (key === 'path' && value !== '') match = { ...match, path: new RegExp(value) };
    else if (key === 'nth' && number >= 1) match = { ...match, nth: number };
    else if (key === 'times' && number >= 1) limits = { ...limits, times: number };
    else if (key === 'p' && number > 0 && number <= 1) limits = { ...limits, probability: number };
    else {
      throw new TestbedError(
        `fault ${name}: cannot read ${JSON.stringify(part)}; give verb:(${verbs.join('|')}), resource:PLURAL, path:REGEXP, nth:N, times:N or p:0.1`,
      );
    }
  }
  return { ...limits, ...(Object.keys(match).length === 0 ? {} : { match }) };
}

function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(faultCatalogue, name);
}
