import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { chooseExperiments } from '../../../chaos/experiments/catalogue.ts';
import { caughtBy, caughtIn, findBad, fromFolder } from '../../../scripts/chaos/known-bad.ts';
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

  const timed = { goal: 'G1', figure: 'fault → replacement ready', atMost: 8_000, timed: true };
  const counted = { goal: 'G1', figure: 'pods made', atMost: 1, timed: false, measured: 2 };
  type Runs = Parameters<typeof caughtIn>[0];
  const runsOf = (goals: readonly object[], ...whats: readonly string[]): Runs =>
    ({ runs: [{ id: 'C1', goals, findings: whats.map((what) => ({ what, says: 'fails', detail: 'said' })) }] }) as unknown as Runs;
  const late = (measured?: number): Runs =>
    runsOf([{ ...timed, ...(measured === undefined ? {} : { measured }) }], 'G1 fault → replacement ready');

  it.each([
    { name: 'a time of half as much again, which the machine may have cost', bad: late(12_000), caught: [] },
    { name: 'a time of twice as much', bad: late(16_000), caught: ['C1 G1 fault → replacement ready'] },
    { name: 'what never came', bad: late(), caught: ['C1 G1 fault → replacement ready'] },
    { name: 'a count', bad: runsOf([counted], 'G1 pods made'), caught: ['C1 G1 pods made'] },
    { name: 'an oracle, whichever Performer it met', bad: runsOf([], 'S1 chaos/a', 'S1 chaos/b'), caught: ['C1 S1'] },
  ])('are caught or not by $name', ({ bad, caught }) => {
    expect([...caughtIn(bad, runsOf([])).keys()]).toEqual(caught);
  });

  it('are not caught by what speaks against the real one, too, however barely', () => {
    expect([...caughtIn(late(20_000), late(9_000))]).toEqual([]);
  });
});
