import { stripVTControlCharacters, styleText } from 'node:util';
import { type Command, Option } from 'commander';
import { type Explanation, explain } from '../../reconcile/explain.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { readSettings } from '../operator.ts';
import { addSettingsOptions, type ConnectOptions, parseOutput, readOptions, type SettingsOptions } from '../options.ts';
import { renderTable } from '../output.ts';
import { loadSnapshot, takeSnapshot } from './inspect.ts';

interface ExplainOptions extends ConnectOptions, SettingsOptions {
  readonly snapshot?: string;
  readonly output: 'text' | 'json';
}

export function registerExplain(program: Command): void {
  addSettingsOptions(program.command('explain'))
    .argument('[name]', 'of the Performer; left out with --snapshot')
    .description('tell what one pass sees of a Performer, what it decides and why, and what it waits for; writes nothing')
    .option('-n, --namespace <namespace>', 'its namespace', 'default')
    .option('--snapshot <file>', 'file made by `hourglass snapshot`, or - for standard input, in place of the cluster')
    .addOption(new Option('-o, --output <format>', 'text or json').argParser(parseOutput).default('text'))
    .action(async (name: string | undefined, _options: unknown, command: Command) => {
      process.exitCode = await explainOne(name, readOptions<ExplainOptions>(command), command);
    });
}

async function explainOne(name: string | undefined, options: ExplainOptions, command: Command): Promise<ExitCode> {
  if ((name === undefined) === (options.snapshot === undefined)) command.error('give the name of a Performer, or --snapshot with a file');
  const snapshot =
    options.snapshot === undefined ? await takeSnapshot({ ...options, name: name ?? '' }) : await loadSnapshot(options.snapshot);
  const told = explain(snapshot, readSettings(options));
  const text = options.output === 'json' ? JSON.stringify(told, null, 2) : renderExplanation(told, process.stdout.columns ?? 120);
  process.stdout.write(`${process.stdout.isTTY ? text : stripVTControlCharacters(text)}\n`);
  return told.verdict.kind === 'settled' ? exitCodes.ok : exitCodes.negative;
}

/** For people; styled, so that what does not go to a terminal must be stripped. Pure. */
export function renderExplanation(told: Explanation, width: number): string {
  const title = (text: string): string => styleText('bold', text);
  const again =
    told.looksAgainAfterMs === undefined ? 'when something changes' : `in ${Math.ceil(told.looksAgainAfterMs / 1_000)} s at the latest`;
  const spec = `generation ${told.generation}, revision ${told.revision || 'unreadable'}; status is about generation ${told.observedGeneration ?? 'none'}, revision ${told.servingRevision ?? 'none'}`;
  const pods = told.pods.map((pod) => [`  ${pod.name}`, pod.word, pod.revision ?? '', pod.node ?? '', pod.remark]);
  return [
    `${title(`Performer ${told.performer}`)}  ${told.verdict.kind}: ${told.verdict.reason}`,
    '',
    title(`Seen at ${told.seenAt}`),
    told.exists ? `  spec     ${spec}` : '  spec     there is no such Performer',
    `  Service  ${told.service}`,
    ...(pods.length === 0 ? ['  Pods     none'] : renderTable(['  POD', 'WORD', 'REVISION', 'NODE', 'REMARK'], pods, width)),
    '',
    title('Decided'),
    `  ${told.verdict.message}`,
    ...(told.actions.length === 0 ? ['  nothing to write now'] : told.actions.map((action, place) => `  ${place + 1}. ${action}`)),
    '',
    `${title('Because')}    ${told.because}`,
    `${title('Waits for')}  ${told.waitsFor}`,
    `${title('Looks again')} ${again}`,
  ].join('\n');
}
