import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { describeIssue } from '../api/fields.ts';
import type { ProgressReporter } from '../testbed/progress.ts';
import { ensureTool, findInCheckout, type ToolName } from '../testbed/tools.ts';
import { ArgumentError } from './argument-error.ts';

const text = z.string().check(z.minLength(1));
const startShape = {
  /** A program, not a line for a shell; `KUBECONFIG` is set for it. */
  command: text,
  args: z._default(z.array(z.string()), []),
  env: z._default(z.record(z.string(), z.string()), {}),
  /** Beside the file unless absolute; the bench's own folder unless told. */
  workDir: z.optional(text),
};
const adapterSchema = z.strictObject(startShape);

/** How an operator under test is started; it runs until SIGTERM. That it works is seen by a first Performer that gets ready. */
export type SubjectStart = Readonly<z.infer<typeof adapterSchema>>;

const health = ['--health-probe-bind-address', '127.0.0.1:{port}'];
/** The peers that come with the bench, by the names they are compared under; what each does stands at the top of its program. */
export const builtInSubjects = {
  'controller-runtime': { tool: 'peer-controller-runtime', args: health },
  'controller-runtime-tuned': { tool: 'peer-controller-runtime', args: [...health, '--tuned'] },
  floor: { tool: 'peer-floor', args: health },
  'floor-headless': { tool: 'peer-floor', args: [...health, '--service', 'headless'] },
  'floor-without-service': { tool: 'peer-floor', args: [...health, '--service', 'none'] },
} as const satisfies Readonly<Record<string, Omit<SubjectStart, 'command' | 'env'> & { readonly tool: ToolName }>>;

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly env?: readonly { readonly name: string; readonly value?: string }[] }[] };
    };
  };
}

/** What the Deployment of ours has in its environment: what is measured runs as it ships. */
export function deployedEnv(): Readonly<Record<string, string>> {
  const { spec } = parse(readFileSync(findInCheckout('manifests/watch/deployment.yaml'), 'utf8')) as Deployment;
  const all = spec.template.spec.containers.flatMap(({ env = [] }) => env);
  return Object.fromEntries(all.map(({ name, value = '' }) => [name, value]));
}

/** How a peer is started, built on first need. @throws TestbedError when it cannot be built */
export async function startOfPeer(name: keyof typeof builtInSubjects, report: ProgressReporter): Promise<SubjectStart> {
  const { tool, ...start } = builtInSubjects[name];
  return { ...start, args: [...start.args], env: {}, command: await ensureTool(tool, report) };
}

/** The line for a shell that starts it, with a port nobody listens on where `{port}` stands in arguments and environment. Pure. */
export function lineOf({ command, args, env, workDir }: SubjectStart, port: number): string {
  const put = (value: string): string => quote(value.replaceAll('{port}', String(port)));
  const settings = Object.entries(env).map(([name, value]) => `${name}=${put(value)}`);
  const line = ['exec', 'env', ...settings, quote(command), ...args.map(put)].join(' ');
  return workDir === undefined ? line : `cd ${quote(workDir)} && ${line}`;
}

/** A text as one word of a shell's line. Pure. */
export const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** What the API's own schemas never say: they let unknown fields pass. */
const describe = (issue: z.core.$ZodRawIssue): string | undefined =>
  issue.code === 'unrecognized_keys' ? `has no field ${issue.keys.join(', ')}` : describeIssue(issue);

/** Reads an adapter file, YAML or JSON, by which any operator is compared. @throws ArgumentError that names the file and what is wrong */
export async function readAdapter(path: string): Promise<SubjectStart> {
  const fail = (why: string, cause?: unknown): never => {
    throw new ArgumentError(`adapter file ${path}: ${why}`, { cause });
  };
  const content = await readFile(path, 'utf8').catch((error: Error) => fail(`cannot be read: ${error.message}`, error));
  let value: unknown;
  try {
    value = parse(content);
  } catch (error) {
    return fail(`neither YAML nor JSON: ${String(error instanceof Error ? error.message : error).split('\n')[0]}`, error);
  }
  const { data, error } = adapterSchema.safeParse(value, { error: describe });
  if (data === undefined)
    return fail((error?.issues ?? []).map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; '));
  const beside = (place: string): string => resolve(dirname(path), place);
  return {
    ...data,
    // A name alone is looked for in PATH, as a shell does.
    command: data.command.includes('/') ? beside(data.command) : data.command,
    ...(data.workDir === undefined ? {} : { workDir: beside(data.workDir) }),
  };
}
