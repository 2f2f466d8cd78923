import { z } from 'zod';
import { type FailureCode, TaskError } from '../../src/performer/kit.ts';

const codes = [
  'CANCELLED',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const satisfies readonly FailureCode[];

/** What a task may ask for: a payload that is a JSON object of these. Any other payload is a task that asks for nothing. */
const wishSchema = z.strictObject({
  /** Works this long. */
  sleepMs: z.int().min(0).optional(),
  /** Goes on although nobody waits any more. */
  deaf: z.boolean().optional(),
  /** Fails with this code. */
  fail: z.enum(codes).optional(),
  /** Throws an error that is none of the kit's, with this text, which must not reach the caller. */
  throw: z.string().optional(),
  /** Is turned away as unsound, with this text. */
  refuse: z.string().optional(),
  /** Ends the process, with this exit code, in the middle of the call. */
  crash: z.int().min(0).max(255).optional(),
  /** Anything that makes payloads differ. */
  note: z.string().optional(),
});
export type Wish = z.infer<typeof wishSchema>;

/** @throws TaskError for an object that asks for something unknown: a typing error in a test must not pass as a quick task */
export function parseWish(payload: Uint8Array): Wish {
  const text = Buffer.from(payload).toString('utf8');
  if (!text.startsWith('{')) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TaskError('INVALID_ARGUMENT', 'the payload begins like JSON and is none');
  }
  const wish = wishSchema.safeParse(value);
  if (!wish.success) throw new TaskError('INVALID_ARGUMENT', z.prettifyError(wish.error));
  return wish.data;
}

const number = (fallback: number) => z.coerce.number().int().min(0).default(fallback);

/** How a test performer behaves as a whole; by environment variable. */
export const behaviourSchema = z.object({
  POD_NAME: z.string().default('unknown'),
  POD_UID: z.string().default('unknown'),
  VERSION: z.string().default(''),
  START_DELAY_MS: number(0),
  TASK_DELAY_MS: number(0),
  TASK_FAIL: z.enum(codes).optional(),
  HEALTH: z.enum(['serving', 'not-serving']).default('serving'),
  AT_SIGTERM: z.enum(['drain', 'ignore', 'die']).default('drain'),
  CRASH_AFTER_MS: z.coerce.number().int().min(0).optional(),
  LAG_MS: number(5_000),
  GRACE_MS: number(20_000),
  MAX_IN_FLIGHT: number(100),
  ABANDONED_MS: number(0),
});
