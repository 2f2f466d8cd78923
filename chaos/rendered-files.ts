import { stringify } from 'yaml';
import { experiments, lastsIn } from './experiments/catalogue.ts';
import { onTimers } from './experiments/timers.ts';
import { labelledTargets, render, renderSchedule, renderWorkflow } from './render.ts';

const header = '# Made by `npm run generate` from chaos/experiments; how to use it: docs/chaos.md.\n';
const toYaml = (object: object): string => header + stringify(object, { aliasDuplicateObjects: false });
const pauseMs = 20_000;

/** The files of `chaos/rendered`, by their path from the project root, for clusters as they are in the field: each experiment once, again and again, and the smoke suite in a row. Pure. */
export function renderChaosFiles(): ReadonlyMap<string, string> {
  const all = experiments
    .filter(({ injector }) => injector === 'chaos-mesh')
    .map((one) => {
      const experiment = onTimers(one, 'stock');
      const lastsMs = lastsIn(experiment, 'full');
      return { experiment, object: render(experiment, labelledTargets(experiment), lastsMs) };
    });
  const smoke = all.filter(({ experiment }) => experiment.lastsMs.smoke !== undefined).map(({ object }) => object);
  const folder = 'chaos/rendered';
  return new Map([
    ...all.map(({ object }) => [`${folder}/${object.metadata.name}.yaml`, toYaml(object)] as const),
    ...all.map(({ object }) => [`${folder}/schedules/${object.metadata.name}.yaml`, toYaml(renderSchedule(object))] as const),
    [`${folder}/workflow-smoke.yaml`, toYaml(renderWorkflow('smoke', smoke, pauseMs))] as const,
  ]);
}
