import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ChaosCommandOptions } from '../../chaos/command.ts';
import { chooseExperiments, experiments } from '../../chaos/experiments/catalogue.ts';
import { registerChaos } from '../../src/cli/commands/chaos.ts';
import { registerChaosReport } from '../../src/cli/commands/chaos-report.ts';
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

describe('a command of docs/chaos.md', () => {
  const asWritten = [...new Set(chaosCommands(read('docs/chaos.md')))].map((text) => text.trim());

  it.each(asWritten)('%s is one that can be given', async (text) => {
    const [, words = ''] = /^(?:bin\/hourglass|npm run) chaos(?: --)? (.*)$/.exec(text) ?? [];
    const given: string[] = [];
    const parser = new Command().exitOverride().option('--kubeconfig <file>');
    registerChaos(parser);
    registerChaosReport(parser);
    const [chaos] = parser.commands;
    for (const command of [chaos, ...(chaos?.commands ?? [])]) command?.exitOverride().action(() => void given.push(command.name()));
    await parser.parseAsync(['chaos', ...words.split(/ +/)], { from: 'user' });
    expect(given).toHaveLength(1);
    const { suite = 'smoke', experiment = [] } = chaos?.opts<ChaosCommandOptions>() ?? {};
    const ids = experiment.filter((id) => id !== 'list' && id !== 'ID');
    expect(chooseExperiments(suite, ids.length === 0 ? undefined : ids).length).toBeGreaterThan(0);
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
