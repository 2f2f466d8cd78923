import * as z from 'zod/mini';
import { describeIssue } from '../api/fields.ts';
import type { Snapshot } from '../reconcile/plan/snapshot.ts';
import { CliError } from './exit-codes.ts';

const object = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });

/** The frame of a snapshot. What is inside is the API server's own. */
const snapshotSchema = z.looseObject({
  key: z.object({ namespace: z.string(), name: z.string() }),
  nowMs: z.number(),
  lastPass: z.boolean(),
  pods: z.array(object),
  service: z.optional(object),
  performer: z.optional(
    z.looseObject({
      uid: z.string(),
      resourceVersion: z.string(),
      generation: z.number(),
      createdAtMs: z.number(),
      deleting: z.boolean(),
      finalizers: z.array(z.string()),
      revision: z.string(),
      parsed: z.union([
        z.object({ valid: z.literal(true), spec: z.looseObject({ image: z.string(), avsAddress: z.string() }) }),
        z.object({ valid: z.literal(false), issues: z.array(z.object({ path: z.string(), message: z.string() })) }),
      ]),
      status: z.optional(z.looseObject({})),
    }),
  ),
});

/** Reads a stored snapshot. @throws CliError that names the file, what is wrong, and how to make one */
export function parseSnapshot(text: string, from: string): Snapshot {
  const fail = (why: string): never => {
    const source = from === '-' ? 'standard input' : from;
    throw new CliError(`reading snapshot from ${source}: ${why}. Make one with: bin/hourglass snapshot NAME -n NAMESPACE`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail(`not JSON (${error instanceof Error ? error.message : 'unreadable'})`);
  }
  const result = snapshotSchema.safeParse(value, { error: describeIssue });
  const issue = result.error?.issues[0];
  return result.success ? (value as Snapshot) : fail(`${issue?.path.join('.') || 'the value'}: ${issue?.message ?? 'no snapshot'}`);
}
