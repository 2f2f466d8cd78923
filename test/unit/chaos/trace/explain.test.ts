import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../../chaos/audit.ts';
import { describeExplained, explainTrace } from '../../../../chaos/trace/explain.ts';
import type { Sight, Trace } from '../../../../chaos/trace/trace.ts';
import type { KubeObject } from '../../../../src/kube/objects.ts';
import { projectRoot } from '../../../support/sources.ts';

const read = (name: string): Trace =>
  JSON.parse(gunzipSync(readFileSync(join(projectRoot, `test/fixtures/chaos/${name}.json.gz`))).toString()) as Trace;
const recorded = read('kill-and-rollout');

const isOf =
  (verb: string, resource: string, code = 200) =>
  ({ verb: is, objectRef, responseStatus }: AuditEntry): boolean =>
    is === verb && objectRef?.resource === resource && objectRef.subresource === undefined && (responseStatus?.code ?? 0) >= code;

function find(matches: (entry: AuditEntry) => boolean): AuditEntry {
  const found = recorded.entries.find(matches);
  if (found === undefined) throw new Error('the record has no such write');
  return found;
}
const without = (entry: AuditEntry): Trace => ({ ...recorded, entries: recorded.entries.filter((one) => one !== entry) });
const replaced = (entry: AuditEntry, change: object): Trace => ({
  ...recorded,
  entries: recorded.entries.map((one) => (one === entry ? ({ ...one, ...change } as AuditEntry) : one)),
});
const listed = (trace: Trace): readonly string[] => explainTrace(trace).unexplained.map(({ who, what, why }) => `${who}: ${what}: ${why}`);

describe('a recorded run of real nodes is explained to the last write and answer:', () => {
  it.each([
    // One Performer's pod is killed, another Performer comes and goes, the first rolls out.
    { name: 'kill-and-rollout', writes: 15, answers: 39, asRecorded: 18 },
    // C7: a node without power for half a minute; its pod is replaced, callers that were there are made anew.
    { name: 'node-loss', writes: 10, answers: 40, asRecorded: 18 },
  ])('$name', ({ name, writes, answers, asRecorded }) => {
    const explained = explainTrace(read(name));
    expect(explained.unexplained).toEqual([]);
    expect(explained.writes).toEqual({ of: writes, explained: writes });
    expect(explained.answers).toEqual({ of: answers, explained: answers, asRecorded });
    expect(describeExplained(explained)).toBe(
      `explained ${writes} of ${writes} writes of the operator, ${answers} of ${answers} answers, ${asRecorded} of them taken as they stand`,
    );
  });
});

describe('what a replay cannot explain is listed:', () => {
  it('a pod that nobody is known to have made', () => {
    const create = find(isOf('create', 'pods'));
    const { name, resourceVersion } = create.responseObject?.metadata ?? {};
    expect(listed(without(create))).toContain(`nobody: pods ${name} changes: no write of the audit log makes version ${resourceVersion}`);
  });

  it('a pod that goes by itself', () => {
    const gone = find(isOf('delete', 'pods'));
    expect(listed(without(gone))).toContainEqual(expect.stringMatching(`nobody: pods ${gone.objectRef?.name} goes: no write`));
  });

  it('a pod that is stored otherwise than it was sent', () => {
    const create = find(isOf('create', 'pods'));
    const { spec } = create.responseObject as KubeObject & { readonly spec: object };
    const responseObject = { ...create.responseObject, spec: { ...spec, hostNetwork: true } };
    expect(listed(replaced(create, { responseObject }))).toEqual([
      expect.stringContaining('the model answers otherwise: spec.hostNetwork: true, the model nothing'),
    ]);
  });

  it('a write that was taken though its precondition did not hold', () => {
    const deletion = find(isOf('delete', 'services'));
    const requestObject = { ...deletion.requestObject, preconditions: { uid: 'another' } };
    expect(listed(replaced(deletion, { requestObject }))).toContainEqual(
      expect.stringMatching(/delete services performer-gamma: the model refuses it: 409 .*uid is .* and not "another"/),
    );
  });

  it('a refusal that there was no ground for', () => {
    const patch = find(isOf('patch', 'performers'));
    expect(listed(replaced(patch, { responseStatus: { code: 422, reason: 'Invalid' } }))).toContainEqual(
      expect.stringContaining('patch performers alpha: it was answered 422, the model says '),
    );
  });

  it('a status patch that changes more than status', () => {
    const patch = find(
      ({ verb, user, objectRef }) => verb === 'patch' && user.username.startsWith('system:node:') && objectRef?.resource === 'pods',
    );
    const { metadata } = patch.responseObject as KubeObject;
    const responseObject = { ...patch.responseObject, metadata: { ...metadata, labels: {} } };
    expect(listed(replaced(patch, { responseObject }))).toEqual([
      expect.stringContaining('a patch of status changes more: metadata.labels'),
    ]);
  });

  it('a write of the operator that no view asks for', () => {
    const create = find(isOf('create', 'pods'));
    const hidden = ({ kind, object }: Sight): boolean =>
      kind === 'pods' && (object === undefined || object.metadata?.deletionTimestamp !== undefined);
    // As if the pod that it replaces had never gone.
    const trace = { ...recorded, sights: recorded.sights.filter((sight) => !hidden(sight)) };
    expect(listed(trace)).toContainEqual(expect.stringContaining(`create pods ${create.objectRef?.name}: the newest view plans`));
  });
});

it('of much that is unexplained a report tells the first of it, and how much more there is', () => {
  const one = { atMs: 0, who: 'a', what: 'b', why: 'c' };
  const explained = {
    answers: { of: 9, explained: 2, asRecorded: 0 },
    writes: { of: 1, explained: 1 },
    unexplained: Array.from({ length: 7 }, () => one),
  };
  expect(describeExplained(explained)).toMatch(
    /^explained 1 of 1 writes of the operator, 2 of 9 answers; unexplained: (?:b by a: c; ){5}2 more$/,
  );
});
