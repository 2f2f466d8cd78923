import { type Command, InvalidArgumentError, Option } from 'commander';

/** `30s`, `2m`, `500ms`, `1h`, or a plain number of seconds, in milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  if (match === null) throw new InvalidArgumentError('give a duration such as 30s, 2m or 500ms.');
  const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
  return Number(match[1]) * unitMs[(match[2] ?? 's') as keyof typeof unitMs];
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('give a whole number, 1 or more.');
  return count;
}

export function parseOutput(text: string): 'text' | 'json' {
  if (text !== 'text' && text !== 'json') throw new InvalidArgumentError('give text or json.');
  return text;
}

/** Options of every command that talks to a cluster. */
export interface ConnectOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
}

/** Options of the commands that may write. */
export interface WriterOptions extends ConnectOptions {
  readonly leaseNamespace?: string;
  readonly leaseIdentity?: string;
  readonly workers: number;
}

/** The same for `once` and `watch`. */
export function addWriterOptions(command: Command): Command {
  return command
    .option('-n, --namespace <namespace>', 'only this namespace (default: all)')
    .addOption(new Option('-A, --all-namespaces', 'all namespaces, which is the default').conflicts('namespace'))
    .option('--workers <count>', 'Performers worked on at once', parseCount, 16)
    .option('--lease-namespace <namespace>', 'where the Lease lives')
    .option('--lease-identity <identity>', 'name in the Lease; one that already holds it goes on at once');
}
