import { existsSync } from 'node:fs';
import { findFreePorts } from '../testbed/free-ports.ts';
import type { ProgressReporter } from '../testbed/progress.ts';
import { TestbedError } from '../testbed/testbed-error.ts';
import { findInCheckout } from '../testbed/tools.ts';
import { ArgumentError } from './argument-error.ts';
import { deployedEnv, lineOf, builtInSubjects as peers, quote, readAdapter, type SubjectStart, startOfPeer } from './subject-start.ts';

/** An operator under test: a shell command that runs it with KUBECONFIG set, until SIGTERM. */
export interface Subject {
  readonly name: string;
  readonly command: string;
  /** A run that looks once and ends, where there is one. */
  readonly once?: string;
}

/**
 * `name=command` for a shell, `name=@FILE` for an adapter file, or the name of one that is built in: ours once more, beside which what
 * differs is noise, or a peer, which is built on first need.
 *
 * @throws ArgumentError for a name alone that is none of those, and for an adapter file that cannot be used
 */
export async function readSubject(text: string, report: ProgressReporter): Promise<Subject> {
  const [, name = text, command] = /^([\w.-]+)=(.+)$/s.exec(text) ?? [];
  if (command?.startsWith('@') === true) return { name, command: await toLine(await readAdapter(command.slice(1))) };
  if (command !== undefined) return { name, command };
  if (text === 'ours' || text === 'ours-again') return { name, ...ours() };
  if (isPeer(text)) return { name, command: await toLine(await startOfPeer(text, report)) };
  throw new ArgumentError(`--compare ${text}: give name=command, name=@FILE, or one of ours-again, ${Object.keys(peers).join(', ')}`);
}

const isPeer = (name: string): name is keyof typeof peers => Object.hasOwn(peers, name);

async function toLine(start: SubjectStart): Promise<string> {
  const [port = 0] = await findFreePorts(1);
  return lineOf(start, port);
}

/** The bundle that ships, as it is deployed; the same Lease identity each time, since a pod of a Deployment takes over its own Lease. */
function ours(): Omit<Subject, 'name'> {
  const bundle = findInCheckout('dist/hourglass.js');
  if (!existsSync(bundle)) throw new TestbedError(`${bundle} is missing: make it with \`npm run build\``);
  const served = '--metrics-bind-address 127.0.0.1:0 --health-probe-bind-address 127.0.0.1:0';
  const [program, identity] = [`${quote(process.execPath)} ${quote(bundle)}`, '--lease-identity hourglass-bench'];
  const env = Object.entries(deployedEnv()).map(([name, value]) => `${name}=${quote(value)}`);
  return { command: `exec env ${env.join(' ')} ${program} watch ${served} ${identity}`, once: `${program} once ${identity}` };
}
