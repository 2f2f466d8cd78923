import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { describeIssue } from '../api/fields.ts';
import type { ProgressReporter } from '../testbed/progress.ts';
import { TestbedError } from '../testbed/testbed-error.ts';
import { ensureTool, type ToolName } from '../testbed/tools.ts';

const text = z.string().check(z.minLength(1));
const startShape = {
  /** A program, not a line for a shell; `KUBECONFIG` is set for it. */
  command: text,
  args: z._default(z.array(z.string()), []),
  env: z._default(z.record(z.string(), z.string()), {}),
  /** Answers 2xx once the operator works. */
  readyUrl: z.optional(z.string().check(z.regex(/^https?:\/\//, 'must begin with http:// or https://'))),
  /** `performer`: the operator works once a first Performer gets ready; so too where there is no `readyUrl`. */
  readyProbe: z.optional(z.literal('performer')),
  /** Beside the file unless absolute; the bench's own folder unless told. */
  workDir: z.optional(text),
};
const adapterSchema = z
  .strictObject(startShape)
  .check(
    z.refine(({ readyUrl, readyProbe }) => readyUrl === undefined || readyProbe === undefined, 'give readyUrl or readyProbe, not both'),
  );

/** How an operator under test is started; it runs until SIGTERM. */
export type SubjectStart = Readonly<z.infer<typeof adapterSchema>>;

const health = ['--health-probe-bind-address', '127.0.0.1:{port}'];
const readyUrl = 'http://127.0.0.1:{port}/readyz';

/** The peers that come with the bench, by the names they are compared under; what each does stands at the top of its program. */
export const builtInSubjects = {
  'controller-runtime': { tool: 'peer-controller-runtime', args: health, readyUrl },
  'controller-runtime-tuned': { tool: 'peer-controller-runtime', args: [...health, '--tuned'], readyUrl },
  floor: { tool: 'peer-floor', args: health, readyUrl },
} as const satisfies Readonly<Record<string, Omit<SubjectStart, 'command' | 'env'> & { readonly tool: ToolName }>>;

/** How a peer is started, built on first need. @throws TestbedError when it cannot be built */
export async function startOfPeer(name: keyof typeof builtInSubjects, report: ProgressReporter): Promise<SubjectStart> {
  const { tool, ...start } = builtInSubjects[name];
  return { ...start, args: [...start.args], env: {}, command: await ensureTool(tool, report) };
}

/** Puts a port nobody listens on where `{port}` stands in arguments, environment and URL. Pure. */
export function withPort(start: SubjectStart, port: number): SubjectStart {
  const put = (value: string): string => value.replaceAll('{port}', String(port));
  const env = Object.fromEntries(Object.entries(start.env).map(([name, value]) => [name, put(value)]));
  return { ...start, args: start.args.map(put), env, ...(start.readyUrl === undefined ? {} : { readyUrl: put(start.readyUrl) }) };
}

/** What the API's own schemas never say: they let unknown fields pass. */
const describe = (issue: z.core.$ZodRawIssue): string | undefined =>
  issue.code === 'unrecognized_keys' ? `has no field ${issue.keys.join(', ')}` : describeIssue(issue);

/** Reads an adapter file, YAML or JSON, by which any operator is compared. @throws TestbedError that names the file and what is wrong */
export async function readAdapter(path: string): Promise<SubjectStart> {
  const fail = (why: string, cause?: unknown): never => {
    throw new TestbedError(`adapter file ${path}: ${why}`, { cause });
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
