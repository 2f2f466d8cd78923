import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { experiments } from '../../chaos/experiments/catalogue.ts';
import { registerChaos } from '../../src/cli/commands/chaos.ts';
import { projectRoot } from '../support/sources.ts';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const program = new Command();
registerChaos(program);
/** Its own, and one of every command. */
const known = new Set(['--kubeconfig', ...(program.commands[0]?.options.map(({ long }) => long) ?? [])]);

/** Commands of a text that run chaos, continued lines joined. */
function chaosCommands(text: string): readonly string[] {
  return text.replaceAll(/\\\n\s*/g, '').match(/(?:bin\/hourglass chaos|npm run chaos --) [^\n`#]*/g) ?? [];
}

describe.each(['docs/chaos.md', '.github/workflows/chaos.yaml'])('%s', (path) => {
  it('names no option that the command lacks', () => {
    const commands = chaosCommands(read(path));
    expect(commands.length).toBeGreaterThan(1);
    const named = commands.flatMap((command) => command.match(/--[a-z][a-z-]+/g) ?? []);
    expect(named.filter((option) => !known.has(option))).toEqual([]);
  });
});

it('docs/chaos.md says of each experiment what is dangerous about it', () => {
  const rows = read('docs/chaos.md').matchAll(/^\| ((?:C\d+[a-z]?(?:, )?)+) \|/gm);
  const told = [...rows].flatMap(([, ids = '']) => ids.split(', '));
  const untold = experiments.filter(({ id }) => !told.some((one) => one === id || one === id.replace(/[a-z]$/, '')));
  expect(untold.map(({ id }) => id)).toEqual([]);
});

it('the workflow breaks no cluster but on demand, and keeps what was found whatever the verdict', () => {
  const { on, jobs } = parse(read('.github/workflows/chaos.yaml')) as {
    readonly on: object;
    readonly jobs: Readonly<
      Record<string, { readonly if: string; readonly steps: readonly { readonly if?: string; readonly uses?: string }[] }>
    >;
  };
  expect(Object.keys(on)).toEqual(['schedule', 'workflow_dispatch']);
  expect(jobs['your-cluster']?.if).toBe("inputs.context != ''");
  for (const { steps } of Object.values(jobs))
    expect(steps.find(({ uses }) => uses?.startsWith('actions/upload-artifact'))?.if).toBe('always()');
});
