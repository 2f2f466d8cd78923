import { describe, expect, it } from 'vitest';
import type { KubeFaultCode } from '../../../src/kube/faults.ts';
import { type Doing, faultOfAnswer, faultOfErrorEvent, parseRetryAfter } from '../../../src/kube-client/error-map.ts';
import { failure } from '../../support/scripted-server.ts';

const read: Doing = { text: 'getting Pod team-a/x', write: false };
const write: Doing = { text: 'patching Pod team-a/x', write: true };
const nowMs = Date.parse('2026-05-05T10:00:00Z');

describe('the fault of an answer', () => {
  const named = { name: 'x', kind: 'pods' };
  it.each<{ name: string; doing?: Doing; status: number; body: object | string; code: KubeFaultCode; says: string }>([
    {
      name: 'no credentials',
      status: 401,
      body: failure(401, 'Unauthorized', 'Unauthorized'),
      code: 'unauthorized',
      says: 'Unauthorized (401): the credentials are not accepted',
    },
    {
      name: 'no right',
      status: 403,
      body: failure(403, 'Forbidden', 'pods "x" is forbidden: User "u" cannot get', named),
      code: 'forbidden',
      says: 'pods "x" is forbidden: User "u" cannot get (403)',
    },
    {
      name: 'a quota',
      status: 403,
      body: failure(403, 'Forbidden', 'pods "x" is forbidden: exceeded quota: q', named),
      code: 'forbidden',
      says: 'exceeded quota: q',
    },
    {
      name: 'no object',
      status: 404,
      body: failure(404, 'NotFound', 'pods "x" not found', named),
      code: 'notFound',
      says: 'pods "x" not found (404)',
    },
    {
      name: 'no namespace',
      status: 404,
      body: failure(404, 'NotFound', 'namespaces "n" not found', { name: 'n', kind: 'namespaces' }),
      code: 'notFound',
      says: 'namespaces "n" not found',
    },
    {
      name: 'no such resource in a group that is served',
      status: 404,
      body: failure(404, 'NotFound', 'the server could not find the requested resource'),
      code: 'kindMissing',
      says: 'does not serve this kind',
    },
    { name: 'no such group', status: 404, body: '404 page not found\n', code: 'kindMissing', says: 'does not serve this kind' },
    {
      name: 'a 404 of something that is no API server',
      status: 404,
      body: '<html>nginx</html>',
      code: 'notFound',
      says: 'the server answered 404',
    },
    {
      name: 'a name that is taken',
      status: 409,
      body: failure(409, 'AlreadyExists', 'pods "x" already exists', named),
      code: 'alreadyExists',
      says: 'already exists (409)',
    },
    {
      name: 'an object that was changed',
      status: 409,
      body: failure(409, 'Conflict', 'the object has been modified', named),
      code: 'conflict',
      says: 'the object has been modified (409)',
    },
    { name: 'a 409 without a reason', status: 409, body: '', code: 'conflict', says: 'the server answered 409' },
    {
      name: 'a version that is too old',
      status: 410,
      body: failure(410, 'Expired', 'too old resource version'),
      code: 'expired',
      says: 'too old resource version (410)',
    },
    {
      name: 'a request that is malformed',
      status: 400,
      body: failure(400, 'BadRequest', 'unknown field'),
      code: 'invalid',
      says: 'unknown field (400)',
    },
    {
      name: 'a request that is too large',
      status: 413,
      body: failure(413, 'RequestEntityTooLarge', 'limit is 3145728'),
      code: 'invalid',
      says: 'limit is 3145728 (413)',
    },
    {
      name: 'an unknown media type',
      status: 415,
      body: failure(415, 'UnsupportedMediaType', 'not supported'),
      code: 'invalid',
      says: '(415)',
    },
    {
      name: 'an object that breaks the rules',
      status: 422,
      body: failure(422, 'Invalid', 'Pod "x" is invalid', named),
      code: 'invalid',
      says: '(422)',
    },
    {
      name: 'too many requests',
      status: 429,
      body: failure(429, 'TooManyRequests', 'try again later'),
      code: 'throttled',
      says: 'try again later (429)',
    },
    {
      name: 'a breakdown',
      status: 500,
      body: failure(500, 'InternalError', 'etcdserver: leader changed'),
      code: 'unavailable',
      says: 'etcdserver: leader changed (500)',
    },
    { name: 'a proxy without a server', status: 503, body: 'no healthy upstream', code: 'unavailable', says: 'the server answered 503' },
    { name: 'a gateway that gave up a read', status: 504, body: '', code: 'unavailable', says: '(504)' },
    {
      name: 'a gateway that gave up a write',
      doing: write,
      status: 504,
      body: '',
      code: 'unknownOutcome',
      says: 'it may or may not have happened',
    },
    {
      name: 'a gateway that lost a write',
      doing: write,
      status: 502,
      body: '',
      code: 'unknownOutcome',
      says: 'it may or may not have happened',
    },
    { name: 'a redirect', status: 302, body: '', code: 'unreadable', says: "check the server's address" },
  ])('is $code for $name', ({ doing = read, status, body, code, says }) => {
    const fault = faultOfAnswer(doing, { status, body: typeof body === 'string' ? body : JSON.stringify(body) }, nowMs);
    expect(fault).toMatchObject({ code, status });
    expect(fault.message.startsWith(`${doing.text}: `)).toBe(true);
    expect(fault.message).toContain(says);
  });

  it('keeps the reason of the API server, for messages', () => {
    expect(faultOfAnswer(read, { status: 403, body: JSON.stringify(failure(403, 'Forbidden', 'no')) }, nowMs).reason).toBe('Forbidden');
  });

  it('takes the wait from the header first, then from the Status', () => {
    const body = JSON.stringify(failure(429, 'TooManyRequests', 'wait', { retryAfterSeconds: 3 }));
    expect(faultOfAnswer(read, { status: 429, body }, nowMs).retryAfterMs).toBe(3_000);
    expect(faultOfAnswer(read, { status: 429, body, retryAfter: '5' }, nowMs).retryAfterMs).toBe(5_000);
  });
});

describe('the message of a fault', () => {
  const causes = (...list: readonly object[]): string =>
    JSON.stringify(failure(422, 'Invalid', 'whole object quoted: hunter2', { name: 'x', kind: 'Pod', causes: list }));
  const messageOf = (status: number, body: string): string => faultOfAnswer(write, { status, body }, nowMs).message;

  it('names the fields that were refused, and why', () => {
    const body = causes(
      { field: 'metadata.name', reason: 'FieldValueInvalid', message: 'Invalid value: "X": must be lower case' },
      { field: 'spec.containers[0].image', reason: 'FieldValueRequired', message: 'Required value' },
    );
    expect(messageOf(422, body)).toBe(
      'patching Pod team-a/x: metadata.name: Invalid value: "X": must be lower case; spec.containers[0].image: Required value (422)',
    );
  });

  it.each([
    {
      name: 'values of environment variables',
      body: causes({ field: 'spec.containers[0].env[0].value', reason: 'FieldValueInvalid', message: 'Invalid value: "hunter2"' }),
    },
    {
      name: 'structures',
      body: causes({
        field: 'spec.containers',
        reason: 'FieldValueInvalid',
        message: 'Invalid value: [{"env":[{"value":"hunter2"}]}]: no',
      }),
    },
    {
      name: 'Go structures',
      body: causes({ field: 'spec', reason: 'FieldValueInvalid', message: 'Invalid value: core.PodSpec{Env: "hunter2"}: no' }),
    },
    {
      name: 'the difference of two specs',
      body: causes({ field: 'spec', reason: 'FieldValueForbidden', message: 'Forbidden: no such update\n  Value: "hunter2"' }),
    },
    { name: 'a body that is no Status', body: 'hunter2' },
  ])('leaves out $name', ({ body }) => {
    expect(messageOf(422, body)).not.toContain('hunter2');
  });

  it('stays short', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ field: `spec.f${index}`, reason: 'R', message: 'm'.repeat(1_000) }));
    expect(messageOf(422, causes(...many)).length).toBeLessThan(2_500);
    expect(messageOf(422, causes(...many))).toContain('and 35 more');
  });
});

describe('the fault of an ERROR event', () => {
  it.each<{ object: unknown; code: KubeFaultCode }>([
    { object: failure(410, 'Expired', 'too old resource version: 1 (9)'), code: 'expired' },
    { object: failure(500, 'InternalError', 'broken'), code: 'unavailable' },
    { object: failure(504, 'Timeout', 'Too large resource version'), code: 'unavailable' },
    { object: failure(403, 'Forbidden', 'no'), code: 'forbidden' },
    { object: { kind: 'Status', message: 'no code' }, code: 'unavailable' },
    { object: { kind: 'Pod' }, code: 'unreadable' },
    { object: undefined, code: 'unreadable' },
  ])('is $code', ({ object, code }) => {
    expect(faultOfErrorEvent(read, object).code).toBe(code);
  });
});

describe('Retry-After', () => {
  it.each([
    { header: '0', ms: 0 },
    { header: '12', ms: 12_000 },
    { header: 'Tue, 05 May 2026 10:00:30 GMT', ms: 30_000 },
    { header: 'Tue, 05 May 2026 09:00:00 GMT', ms: 0 },
    { header: 'soon', ms: undefined },
    { header: '', ms: undefined },
    { header: undefined, ms: undefined },
  ])('$header is $ms ms', ({ header, ms }) => {
    expect(parseRetryAfter(header, nowMs)).toBe(ms);
  });
});
