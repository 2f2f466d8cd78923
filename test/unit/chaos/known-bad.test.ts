import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { chooseExperiments } from '../../../chaos/experiments/catalogue.ts';
import { againstIt, caughtBy, findBad, fromFolder } from '../../../scripts/chaos/known-bad.ts';
import { projectRoot } from '../../../scripts/generate.ts';

describe('known-bad operators on real nodes', () => {
  it('are operators of the simulation, under faults of the catalogue', () => {
    for (const [name, ids] of Object.entries(caughtBy)) {
      expect(findBad(name).name).toBe(name);
      expect(chooseExperiments('smoke', ids).map(({ id }) => id)).toHaveLength(ids.length);
    }
  });

  it('run the program of their own folder, with all else as users install it', () => {
    const manifest = readFileSync(join(projectRoot, 'manifests/install-watch.yaml'), 'utf8');
    const read = (text: string) => parseAllDocuments(text).map((one) => one.toJS());
    const before = read(manifest).map((one) => JSON.stringify(one));
    const changed = read(fromFolder(manifest, '/bad/app')).filter((one, at) => JSON.stringify(one) !== before[at]);
    expect(changed.map(({ kind }) => kind)).toEqual(['Namespace', 'Deployment']);
    const [container] = changed[1].spec.template.spec.containers;
    expect([container.command, container.args[0], container.volumeMounts]).toEqual([
      ['/usr/bin/node', '/app/hourglass.js'],
      'watch',
      [{ name: 'program', mountPath: '/app', readOnly: true }],
    ]);
    expect(changed[1].spec.template.spec.volumes).toEqual([{ name: 'program', hostPath: { path: '/bad/app', type: 'Directory' } }]);
  });

  it.each([
    { name: 'a time of half as much again, which the machine may have cost', measured: 12_000, caught: [] },
    { name: 'a time of twice as much', measured: 16_000, caught: ['C1 G1 fault → replacement ready'] },
    { name: 'what never came', measured: undefined, caught: ['C1 G1 fault → replacement ready'] },
  ])('are caught or not by $name', ({ measured, caught }) => {
    const bound = {
      goal: 'G1',
      figure: 'fault → replacement ready',
      atMost: 8_000,
      timed: true,
      ...(measured === undefined ? {} : { measured }),
    };
    const findings = [{ what: 'G1 fault → replacement ready', says: 'fails', detail: '' }];
    const runs = [{ id: 'C1', goals: [bound], findings }] as unknown as Parameters<typeof againstIt>[0]['runs'];
    expect([...againstIt({ runs }).keys()]).toEqual(caught);
  });

  it('are caught by what is no matter of time, whichever Performer it met', () => {
    const bound = { goal: 'G1', figure: 'pods made', atMost: 1, timed: false, measured: 2 };
    const findings = [
      { what: 'G1 pods made', says: 'fails', detail: '2, at most 1' },
      { what: 'S1 chaos/a', says: 'fails', detail: 'two pods' },
      { what: 'S2 chaos/a', says: 'holds', detail: '' },
    ];
    const runs = [{ id: 'C1', goals: [bound], findings }] as unknown as Parameters<typeof againstIt>[0]['runs'];
    expect([...againstIt({ runs })]).toEqual([
      ['C1 G1 pods made', '2, at most 1'],
      ['C1 S1', 'two pods'],
    ]);
  });
});
