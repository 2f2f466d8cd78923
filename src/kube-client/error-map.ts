import { KubeFault, type KubeFaultCode } from '../kube/faults.ts';
import { isRecord } from './decode.ts';

/** What was being done, for faults and their messages. */
export interface Doing {
  /** Gerund and object: `patching status of Pod team-a/x`. */
  readonly text: string;
  /** A write that may have happened must never look like one that did not. */
  readonly write: boolean;
}

export interface FailedAnswer {
  readonly status: number;
  /** Header `Retry-After`, as it came. */
  readonly retryAfter?: unknown;
  /** The body's text; JSON of a `Status` where the API server itself answered. */
  readonly body: string;
}

/** The API server's answer to a failed call, as far as we read it. */
type ApiStatus = NonNullable<ReturnType<typeof parseStatus>>;

const maxCauses = 5;
const maxTextLength = 400;
/** Fields whose values may be secret: only the kind of trouble is told. */
const secretField = /\b(?:env\w*|\w*secret\w*|\w*token\w*|\w*password\w*|\w*credential\w*|data|stringData)\b/i;

/** The fault of an answer that is no success. `nowMs` is the server's time, for a `Retry-After` that names a date. Pure. */
export function faultOfAnswer(doing: Doing, answer: FailedAnswer, nowMs: number): KubeFault {
  const status = parseStatus(parseJson(answer.body));
  return faultOfStatus(doing, answer.status, status, status === undefined ? answer.body : '', parseRetryAfter(answer.retryAfter, nowMs));
}

/** The fault of an ERROR event of a watch, whose `Status` stands for the whole answer. Pure. */
export function faultOfErrorEvent(doing: Doing, object: unknown): KubeFault {
  const status = parseStatus(object);
  if (status === undefined) return new KubeFault('unreadable', `${doing.text}: the API server sent an ERROR event without a Status`);
  return faultOfStatus(doing, status.code ?? 500, status, '', undefined);
}

/** Milliseconds to wait by `Retry-After`: seconds or a date; undefined when absent or unreadable. Pure. */
export function parseRetryAfter(header: unknown, nowMs: number): number | undefined {
  if (typeof header !== 'string' || header.trim() === '') return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

function faultOfStatus(doing: Doing, http: number, status: ApiStatus | undefined, text: string, waitMs: number | undefined): KubeFault {
  const code = codeOf(doing, http, status, text);
  const said = status === undefined ? '' : statusText(status);
  const retryAfterMs = waitMs ?? (status?.retryAfterSeconds === undefined ? undefined : status.retryAfterSeconds * 1000);
  const reason = status?.reason;
  return new KubeFault(code, `${doing.text}: ${explain(code, http, said)}`, {
    status: http,
    ...(reason === undefined || reason === '' ? {} : { reason }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

const codeOfStatus: Readonly<Record<number, KubeFaultCode>> = { 401: 'unauthorized', 403: 'forbidden', 410: 'expired', 429: 'throttled' };

function codeOf(doing: Doing, http: number, status: ApiStatus | undefined, text: string): KubeFaultCode {
  if (http === 404) return isKindMissing(status, text) ? 'kindMissing' : 'notFound';
  if (http === 409) return status?.reason === 'AlreadyExists' ? 'alreadyExists' : 'conflict';
  // Somebody between us and the store gave up waiting; the store may still have taken the write.
  if (doing.write && (http === 502 || http === 504)) return 'unknownOutcome';
  return codeOfStatus[http] ?? (http >= 500 ? 'unavailable' : http >= 400 ? 'invalid' : 'unreadable');
}

/** A 404 that is about no object: the API server does not serve the kind. */
function isKindMissing(status: ApiStatus | undefined, text: string): boolean {
  if (status === undefined) return text.trim() === '' || text.startsWith('404 page not found');
  return !status.names || status.message.includes('the server could not find the requested resource');
}

function explain(code: KubeFaultCode, http: number, said: string): string {
  if (code === 'kindMissing') return 'the API server does not serve this kind';
  if (code === 'unreadable') return `the server answered ${http}, which no API server does; check the server's address`;
  const answer = `${said === '' ? `the server answered ${http}` : said} (${http})`;
  if (code === 'unauthorized') return `${answer}: the credentials are not accepted`;
  return code === 'unknownOutcome' ? `${answer}: it may or may not have happened` : answer;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a `Status` object; undefined when it is none. Pure. */
function parseStatus(status: unknown) {
  if (!isRecord(status) || status.kind !== 'Status') return undefined;
  const details = isRecord(status.details) ? status.details : {};
  const causes: unknown[] = Array.isArray(details.causes) ? details.causes : [];
  return {
    message: asText(status.message),
    reason: asText(status.reason),
    // The HTTP code, which watch events have instead of a response's.
    code: typeof status.code === 'number' ? status.code : undefined,
    // Whether it is about an object or at least a kind; absent when the whole kind is unknown.
    names: asText(details.name) !== '' || asText(details.kind) !== '',
    retryAfterSeconds: typeof details.retryAfterSeconds === 'number' ? details.retryAfterSeconds : undefined,
    causes: causes
      .filter(isRecord)
      .map((cause) => ({ field: asText(cause.field), reason: asText(cause.reason), message: asText(cause.message) })),
  };
}

/**
 * What the API server says stood in the way, without what was sent: a refused object is quoted back in its messages,
 * whole or in part, so values of structures and of fields that may be secret are left out. Pure.
 */
function statusText(status: ApiStatus): string {
  if (status.causes.length === 0) return trimText(status.message);
  const shown = status.causes.slice(0, maxCauses).map(({ field, reason, message }) => {
    const text = trimText(secretField.test(field) ? reason : message);
    return field === '' || field === '<nil>' ? text : `${field}: ${text}`;
  });
  const left = status.causes.length - shown.length;
  return shown.join('; ') + (left > 0 ? `; and ${left} more` : '');
}

/** One short line without structures. */
function trimText(text: string): string {
  const [line = ''] = text.split('\n', 1);
  const plain = line.replace(/(value: )(?:\{.*\}|\[.*\]|map\[.*\]|\w+\.\w+\{.*\})/g, '$1…');
  return plain.length <= maxTextLength ? plain : `${plain.slice(0, maxTextLength - 1)}…`;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
