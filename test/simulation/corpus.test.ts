import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { runPlan } from '../../src/sim/run.ts';
import { parseRunFile } from '../../src/sim/run-file.ts';
import { tellStory } from '../../src/sim/story.ts';

const folder = fileURLToPath(new URL('corpus/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
/** By file: how often each fault came when it was kept. Written anew where `CORPUS_LANDMARKS=1` asks for it. */
const landmarksPath = fileURLToPath(new URL('corpus-landmarks.json', import.meta.url));
type Landmarks = Readonly<Record<string, Readonly<Record<string, number>>>>;
const landmarks = JSON.parse(readFileSync(landmarksPath, 'utf8')) as Landmarks;
const isRecorded = process.env.CORPUS_LANDMARKS === '1';
const recorded: Record<string, Record<string, number>> = {};

/** Faults that came less often than they did: then the run does not go where it once failed. Pure. */
function findDecay(name: string, came: ReadonlyMap<string, number>, kept: Landmarks): readonly string[] {
  const led = kept[name];
  if (led === undefined)
    return [`${name} has no landmark: make them anew by CORPUS_LANDMARKS=1 npx vitest run test/simulation/corpus.test.ts`];
  return Object.entries(led).flatMap(([id, times]) =>
    (came.get(id) ?? 0) >= times
      ? []
      : [
          `${name} no longer leads there: ${id} came ${came.get(id) ?? 0} times, ${times} when it was kept; make it anew so that it fails without the mend`,
        ],
  );
}

/** Plans that once showed a defect. They stay for good. */
describe('every run that ever failed', () => {
  afterAll(() => {
    if (isRecorded) writeFileSync(landmarksPath, `${JSON.stringify(recorded, undefined, 2)}\n`);
  });

  it.each(files)('%s holds now, and its faults still come', async (name) => {
    const { plan } = parseRunFile(name, readFileSync(`${folder}${name}`, 'utf8'), (message) => new Error(message));
    const result = await runPlan(plan, { keeps: 5_000 });
    expect(result.violations.slice(0, 1).flatMap((violation) => tellStory(violation, result.lines, ''))).toEqual([]);
    recorded[name] = Object.fromEntries([...result.faults].toSorted(([a], [b]) => (a < b ? -1 : 1)));
    if (!isRecorded) expect(findDecay(name, result.faults, landmarks)).toEqual([]);
  });

  it('has a landmark each, and no landmark is left of one that went', () => {
    if (!isRecorded) expect(Object.keys(landmarks).toSorted()).toEqual(files.toSorted());
  });

  it('says of which faults a run that no longer leads there lacks', () => {
    const kept = { 'a.json': { 'node-off': 2, 'pod-evicted': 1 } };
    expect(
      findDecay(
        'a.json',
        new Map([
          ['node-off', 2],
          ['pod-evicted', 3],
        ]),
        kept,
      ),
    ).toEqual([]);
    expect(findDecay('a.json', new Map([['node-off', 1]]), kept)).toEqual([
      expect.stringContaining('a.json no longer leads there: node-off came 1 times, 2 when it was kept'),
      expect.stringContaining('pod-evicted came 0 times'),
    ]);
    expect(findDecay('b.json', new Map(), kept)).toEqual([expect.stringContaining('b.json has no landmark')]);
  });

  it('says which version a file of another format needs', () => {
    const fail = (message: string): Error => new Error(message);
    expect(() => parseRunFile('old.json', '{"format":0}', fail)).toThrow('old.json is of format 0, this version runs format');
    expect(() => parseRunFile('no.json', 'x', fail)).toThrow('no.json is not JSON');
    expect(() => parseRunFile('empty.json', '{"format":1}', fail)).toThrow('empty.json holds no plan');
  });
});
