import { describe, expect, it } from 'vitest';
import { explain } from '../../../src/reconcile/explain.ts';
import { key, performer, pod, service, settings, settled, snapshot } from '../../support/snapshots.ts';

describe('explain', () => {
  it('says of a settled Performer that nothing is to do', () => {
    expect(explain(settled(), settings)).toMatchObject({
      performer: 'team-a/x',
      verdict: { kind: 'settled' },
      actions: [],
      because: 'everything is as the spec asks for',
      waitsFor: 'nothing',
    });
  });

  it('names the first difference of a pod to its spec', () => {
    const told = explain(snapshot({ pods: [pod()], service: service(), performer: performer({ image: 'avs:2' }) }), settings);
    expect(told.because).toBe('Pod performer-x serving: is of a former spec: image avs:1 → avs:2');
    expect(told.actions[0]).toMatch(/^creating Pod performer-x-[0-9a-f]{4}-1$/);
  });

  it('names what keeps a pod from serving, and when it looks again', () => {
    const stuck = pod({ ready: false, waiting: { reason: 'ErrImagePull', message: 'no such image' } });
    const told = explain(snapshot({ pods: [stuck], service: service() }), settings);
    expect(told.because).toContain('ImagePullFailed: avs:1: no such image');
    expect(told.looksAgainAfterMs).toBeGreaterThan(0);
  });

  it('tells whose a pod is that is not ours', () => {
    const told = explain(snapshot({ pods: [pod({ ownerKind: 'Job' })] }), settings);
    expect(told.pods).toMatchObject([{ name: 'performer-x', word: 'foreign' }]);
    expect(told.verdict).toMatchObject({ kind: 'stalled', reason: 'NameConflict' });
    expect(told.waitsFor).toBe('a user');
  });

  it('says that there is no such Performer', () => {
    expect(explain(snapshot({ performer: undefined }), settings)).toMatchObject({
      exists: false,
      performer: `${key.namespace}/${key.name}`,
    });
  });
});
