import { TestbedError } from '../testbed-error.ts';
import { type Fault, faultNames, kindOf, type Match, type Rule } from './faults.ts';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };
const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const;
const limitsText = `verb:(${verbs.join('|')}), resource:PLURAL, path:REGEXP, nth:N, times:N or p:0.1`;

/**
 * A rule as written on a command line: `NAME[=VARIANT,LENGTH][@verb:V,resource:R,path:REGEXP,nth:N,times:N,p:P]`,
 * e.g. `goaway=abrupt@verb:watch,p:0.1` or `delay=2s@resource:pods`. Pure.
 *
 * @throws TestbedError naming the part that cannot be read, and what it can be
 */
export function parseFault(text: string): Rule {
  const [what = '', limits = ''] = text.split(/@(.*)/s, 2);
  const [given = '', args = ''] = what.split('=', 2);
  const name = faultNames.find((known) => known === given);
  if (name === undefined)
    throw new TestbedError(`fault ${JSON.stringify(given)}: there is none of that name; use one of ${faultNames.join(', ')}`);
  const unreadable = (part: string, can: string): Error => new TestbedError(`fault ${name}: cannot read ${JSON.stringify(part)}; ${can}`);

  const { variants = [], ms } = kindOf(name);
  let fault = { name } as Fault;
  for (const arg of partsOf(args)) {
    const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(arg) ?? [];
    if (variants.includes(arg)) fault = { ...fault, variant: arg } as Fault;
    else if (count !== undefined && ms !== undefined) fault = { ...fault, ms: Number(count) * (units[unit] ?? 1) };
    else {
      const can = [...variants, ...(ms === undefined ? [] : [`a length such as ${ms}ms`])].join(', ');
      throw unreadable(arg, can === '' ? 'it takes nothing' : `give ${can}`);
    }
  }

  let rule: Rule = { fault };
  for (const part of partsOf(limits)) {
    const [key = '', value = ''] = part.split(/:(.*)/s, 2);
    const about = (match: Match): Rule => ({ ...rule, match: { ...rule.match, ...match } });
    const verb = verbs.find((known) => known === value);
    const number = Number(value);
    if (key === 'verb' && verb !== undefined) rule = about({ verb });
    else if (key === 'resource' && value !== '') rule = about({ resource: value });
    else if (key === 'path' && value !== '') rule = about({ path: new RegExp(value) });
    else if (key === 'nth' && number >= 1) rule = about({ nth: number });
    else if (key === 'times' && number >= 1) rule = { ...rule, times: number };
    else if (key === 'p' && number > 0 && number <= 1) rule = { ...rule, probability: number };
    else throw unreadable(part, `give ${limitsText}`);
  }
  return rule;
}

function partsOf(list: string): readonly string[] {
  return list.split(',').filter((part) => part !== '');
}
