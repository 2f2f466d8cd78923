/** The API server's answer to a failed call, as far as we read it. */
export interface ApiStatus {
  readonly message: string;
  readonly reason: string | undefined;
  /** The HTTP code inside, which watch events have instead of a response's. */
  readonly code: number | undefined;
  /** Name or kind of the object it is about: absent when the whole kind is unknown. */
  readonly names: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly causes: readonly { readonly field: string; readonly reason: string; readonly message: string }[];
}

const maxCauses = 5;
const maxTextLength = 400;
/** Fields whose values may be secret: only the kind of trouble is told. */
const secretField = /\b(?:env\w*|\w*secret\w*|\w*token\w*|\w*password\w*|\w*credential\w*|data|stringData)\b/i;

/** Reads a `Status` object; undefined when it is none. Pure. */
export function parseStatus(value: unknown): ApiStatus | undefined {
  const status = asRecord(value);
  if (status?.kind !== 'Status') return undefined;
  const details = asRecord(status.details) ?? {};
  const causes = Array.isArray(details.causes) ? details.causes : [];
  return {
    message: asText(status.message),
    reason: typeof status.reason === 'string' && status.reason !== '' ? status.reason : undefined,
    code: typeof status.code === 'number' ? status.code : undefined,
    names: asText(details.name) !== '' || asText(details.kind) !== '',
    retryAfterSeconds: typeof details.retryAfterSeconds === 'number' ? details.retryAfterSeconds : undefined,
    causes: causes.map((cause) => {
      const { field, reason, message } = asRecord(cause) ?? {};
      return { field: asText(field), reason: asText(reason), message: asText(message) };
    }),
  };
}

/**
 * What the API server says stood in the way, without what was sent: a refused object is quoted back in its messages,
 * whole or in part, so values of structures and of fields that may be secret are left out. Pure.
 */
export function statusText(status: ApiStatus): string {
  if (status.causes.length === 0) return shorten(withoutStructures(firstLine(status.message)));
  const shown = status.causes.slice(0, maxCauses).map(({ field, reason, message }) => {
    const text = secretField.test(field) ? reason : withoutStructures(firstLine(message));
    return field === '' || field === '<nil>' ? shorten(text) : `${field}: ${shorten(text)}`;
  });
  const left = status.causes.length - shown.length;
  return shown.join('; ') + (left > 0 ? `; and ${left} more` : '');
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function withoutStructures(text: string): string {
  return text.replace(/(value: )(?:\{.*\}|\[.*\]|map\[.*\]|\w+\.\w+\{.*\})/g, '$1…');
}

function shorten(text: string): string {
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength - 1)}…`;
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
