import { describe, expect, it } from 'vitest';
import { parseAudit, readRequests, readWrites } from '../../../chaos/audit.ts';
import { change, pod } from './support.ts';

const account = 'system:serviceaccount:hourglass-system:hourglass-operator';
const before = pod('a-0');
const seen = [change(0, undefined, before)];
const line = (more: object): string =>
  JSON.stringify({
    stage: 'ResponseComplete',
    verb: 'patch',
    user: {
      username: account,
      extra: { 'authentication.kubernetes.io/pod-name': ['op-1'] },
    },
    objectRef: { resource: 'pods', namespace: 'ns', name: 'a-0' },
    requestReceivedTimestamp: '2026-01-01T00:00:00Z',
    stageTimestamp: '2026-01-01T00:00:01Z',
    responseStatus: { code: 200 },
    requestObject: { metadata: { resourceVersion: before.metadata?.resourceVersion } },
    responseObject: { metadata: { name: 'a-0', uid: 'uid-a-0', resourceVersion: '9' } },
    ...more,
  });
const read = (more: object) => readWrites(parseAudit(line(more)), seen, 'ns', account);

describe('readWrites', () => {
  it("tells an operator's write, what it was made on and what came of it", () => {
    expect(read({})).toEqual([
      expect.objectContaining({
        actor: 'operator op-1',
        verb: 'patch',
        plural: 'pods',
        result: 'ok',
        before,
        atMs: Date.parse('2026-01-01T00:00:01Z'),
      }),
    ]);
  });

  it('takes the newest version before it for what a write found that names none', () => {
    const at = (resourceVersion: string) => change(0, undefined, { ...before, metadata: { ...before.metadata, resourceVersion } });
    const [write] = readWrites(parseAudit(line({ requestObject: {} })), [at('7'), at('8'), at('10')], 'ns', account);
    expect(write?.before?.metadata?.resourceVersion).toBe('8');
    expect(write?.preconditions).toEqual({});
  });

  it.each([
    { name: 'a conflict', more: { responseStatus: { code: 409, reason: 'Conflict' } }, result: 'conflict' },
    {
      name: 'a name that is taken',
      more: { verb: 'create', responseStatus: { code: 409, reason: 'AlreadyExists' } },
      result: 'alreadyExists',
    },
    { name: 'a refusal', more: { responseStatus: { code: 403 } }, result: 'forbidden' },
    { name: 'an API server in trouble', more: { responseStatus: { code: 500 } }, result: 'unavailable' },
  ])('tells $name', ({ more, result }) => {
    expect(read(more)[0]).toMatchObject({ result, after: undefined });
  });

  it.each([
    { name: 'another namespace', more: { objectRef: { resource: 'pods', namespace: 'other' } } },
    { name: 'a binding', more: { objectRef: { resource: 'pods', subresource: 'binding', namespace: 'ns', name: 'a-0' } } },
    { name: 'a read', more: { verb: 'get' } },
    { name: 'what was refused before it was read', more: { responseStatus: { code: 429 }, requestObject: undefined } },
  ])('leaves out $name', ({ more }) => {
    expect(read(more)).toEqual([]);
  });

  it('leaves out a line that is cut off', () => {
    expect(readWrites(parseAudit(`${line({}).slice(0, -9)}\n${line({})}`), seen, 'ns', account)).toHaveLength(1);
  });
});

describe('parseAudit', () => {
  const reading = { verb: 'get' };
  const other = { user: { username: 'other' } };

  it('has what all that is read of a log needs: the writes of anybody, and all that the account asked for', () => {
    const log = parseAudit([line({}), line(reading), line(other), line({ ...other, ...reading })].join('\n'), account);
    expect(log.map(({ user, verb }) => [user.username, verb])).toEqual([
      [account, 'patch'],
      [account, 'get'],
      ['other', 'patch'],
    ]);
    expect(readWrites(log, seen, 'ns', account)).toHaveLength(2);
    expect(readRequests(log, account)).toHaveLength(2);
  });
});

describe('readRequests', () => {
  const requests = (...lines: readonly string[]) => readRequests(parseAudit(lines.join('\n'), account), account);

  it('tells what the account asked for, by which pod and when', () => {
    const [one] = requests(line({ requestURI: '/api/v1/namespaces/ns/pods/a-0', responseStatus: { code: 429 } }));
    expect(one).toEqual({
      startedMs: Date.parse('2026-01-01T00:00:00Z'),
      endedMs: Date.parse('2026-01-01T00:00:01Z'),
      pod: 'op-1',
      verb: 'patch',
      plural: 'pods',
      uri: '/api/v1/namespaces/ns/pods/a-0',
      code: 429,
    });
  });

  it('counts a watch once, when it begins', () => {
    const watch = { verb: 'watch' };
    expect(requests(line({ ...watch, stage: 'ResponseStarted' }), line(watch))).toHaveLength(1);
  });

  it.each([
    { name: 'of somebody else', text: line({ user: { username: 'other' } }) },
    { name: 'of somebody else that names the account', text: line({ user: { username: 'other' }, requestObject: { username: account } }) },
    { name: 'cut off', text: line({}).slice(0, -10) },
  ])('leaves out what is $name', ({ text }) => {
    expect(requests(text)).toEqual([]);
  });
});
