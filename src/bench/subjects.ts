import { existsSync } from 'node:fs';
import type { ProgressReporter } from '../testbed/progress.ts';
import { TestbedError } from '../testbed/testbed-error.ts';
import { findInCheckout } from '../testbed/tools.ts';

/** An operator under test: a shell command that runs it with KUBECONFIG set, until SIGTERM. */
export interface Subject {
  readonly name: string;
  readonly command: string;
  /** A run that looks once and ends, where there is one. */
  readonly once?: string;
}

/** Operators that `--compare` knows by name; each is built on first need. */
const builtInSubjects: Readonly<Record<string, (report: ProgressReporter) => Promise<Omit<Subject, 'name'>>>> = {
  ours: async () => ours(),
  // Beside ours: what differs between the two is noise.
  'ours-again': async () => ours(),
};

/** `name=command`, or the name of one that is built in. @throws TestbedError for a name alone that is not */
export async function readSubject(text: string, report: ProgressReporter): Promise<Subject> {
  const [, name = text, command] = /^([\w.-]+)=(.+)$/s.exec(text) ?? [];
  if (command !== undefined) return { name, command };
  const builtIn = builtInSubjects[text];
  if (builtIn !== undefined) return { name, ...(await builtIn(report)) };
  throw new TestbedError(`--compare ${text}: give name=command, or one of ${Object.keys(builtInSubjects).join(', ')}`);
}

/** The bundle that ships, as it is deployed; the same Lease identity each time, since a pod of a Deployment takes over its own Lease. */
function ours(): Omit<Subject, 'name'> {
  const bundle = findInCheckout('dist/hourglass.js');
  if (!existsSync(bundle)) throw new TestbedError(`${bundle} is missing: make it with \`npm run build\``);
  const served = '--metrics-bind-address 127.0.0.1:0 --health-probe-bind-address 127.0.0.1:0';
  const [program, identity] = [`${quote(process.execPath)} ${quote(bundle)}`, '--lease-identity hourglass-bench'];
  return { command: `exec ${program} watch ${served} ${identity}`, once: `${program} once ${identity}` };
}

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
