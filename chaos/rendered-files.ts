import { stringify } from 'yaml';
import { type Experiment, partsOf } from './experiment.ts';
import { experiments, lastsIn } from './experiments/catalogue.ts';
import { onTimers } from './experiments/timers.ts';
import { labelledTargets, render, renderSchedule, renderTogether, renderWorkflow } from './render.ts';

const header = '# Made by `npm run generate` from chaos/experiments; how to use it: docs/chaos.md.\n';
const toYaml = (object: object): string => header + stringify(object, { aliasDuplicateObjects: false });
const pauseMs = 20_000;
/** Between the parts of what is several at once. */
const partPauseMs = 5_000;
const folder = 'chaos/rendered';

/**
 * The files of `chaos/rendered`, by their path from the project root, for clusters as they are in the field: each experiment once, again and
 * again, and the smoke suite in a row. What comes again and again by itself is a Schedule, what is several at once a Workflow. Pure.
 */
export function renderChaosFiles(): ReadonlyMap<string, string> {
  const ofMesh = experiments.filter(({ injector }) => injector === 'chaos-mesh').map((one) => onTimers(one, 'stock'));
  const smoke = ofMesh.filter(({ lastsMs }) => lastsMs.smoke !== undefined).map(renderOne);
  return new Map([
    ...ofMesh.flatMap(renderForms).map(([path, object]) => [`${folder}/${path}`, toYaml(object)] as const),
    [`${folder}/workflow-smoke.yaml`, toYaml(renderWorkflow('smoke', smoke, pauseMs))] as const,
  ]);
}

const renderOne = (experiment: Experiment): ReturnType<typeof render> =>
  render(experiment, labelledTargets(experiment), lastsIn(experiment, 'full'));

function renderForms(experiment: Experiment): readonly (readonly [path: string, object: object])[] {
  const { id, fault } = experiment;
  const file = `${id.toLowerCase()}.yaml`;
  if (partsOf(fault).length > 1) return [[file, renderTogether(experiment, lastsIn(experiment, 'full'), partPauseMs)]];
  const object = renderOne(experiment);
  if (fault.kind === 'pod-kill' && fault.everyMs !== undefined) return [[file, renderSchedule(object, `@every ${fault.everyMs / 1_000}s`)]];
  return [
    [file, object],
    [`schedules/${file}`, renderSchedule(object)],
  ];
}
