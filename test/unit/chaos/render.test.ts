import { describe, expect, it } from 'vitest';
import { type Experiment, isTestbedFault } from '../../../chaos/experiment.ts';
import { experiments } from '../../../chaos/experiments/catalogue.ts';
import { labelledTargets, render, renderSchedule, renderWorkflow } from '../../../chaos/render.ts';
import { faultIds } from '../../../src/sim/faults/faults.ts';

const byId = (id: string): Experiment => experiments.filter((one) => one.id === id)[0] as Experiment;

describe('render', () => {
  it('meets pods by name where the runner chose them, and never by chance', () => {
    const { spec } = render(byId('C1'), { pods: { namespace: 'ns', names: ['a'] } }, 0);
    expect(spec).toEqual({ action: 'pod-kill', gracePeriod: 0, mode: 'all', selector: { namespaces: ['ns'], pods: { ns: ['a'] } } });
  });

  it('names the namespaces of every selector: without them all would be meant', () => {
    for (const experiment of experiments.filter(({ injector }) => injector === 'chaos-mesh')) {
      const text = JSON.stringify(render(experiment, labelledTargets(experiment), 1_000).spec);
      expect(text.split('"selector"').length).toBe(text.split(/"namespaces"|"physicalMachines"/).length);
    }
  });

  it('cuts both ways, on the side that stays', () => {
    const { kind, spec } = render(byId('C4b'), { pods: { namespace: 'ns', names: ['caller'] }, addresses: ['10.96.0.7'] }, 10_000);
    expect(kind).toBe('NetworkChaos');
    expect(spec).toMatchObject({ action: 'partition', direction: 'both', mode: 'all', externalTargets: ['10.96.0.7'], duration: '10s' });
    expect(spec).not.toHaveProperty('target');
  });

  it('names what is done to a machine, and holds no command', () => {
    const { spec } = render(byId('C7'), { pods: { namespace: 'ns', names: [] }, machine: 'n3', uid: 'u' }, 5_000);
    expect(spec).toMatchObject({
      uid: 'u',
      selector: { physicalMachines: { 'chaos-mesh': ['n3'] } },
      user_defined: { attackCmd: 'power-off', recoverCmd: 'power-on' },
    });
  });

  it('is repeated by a Schedule and put in a row by a Workflow, with the same spec', () => {
    const object = render(byId('C5'), labelledTargets(byId('C5')), 60_000);
    expect(renderSchedule(object).spec).toMatchObject({ type: 'NetworkChaos', concurrencyPolicy: 'Forbid', networkChaos: object.spec });
    const { spec } = renderWorkflow('w', [object], 5_000) as {
      spec: { templates: { name: string; children?: string[]; deadline: string }[] };
    };
    expect(spec.templates[0]?.children).toEqual(['before-c5', 'c5', 'before-end']);
    expect(spec.templates.at(-1)).toMatchObject({ name: 'c5', deadline: '60s' });
  });
});

describe('the catalogue', () => {
  it('names faults of the simulator as twins', () => {
    for (const { id, twin } of experiments) if (twin !== undefined) expect(faultIds, id).toContain(twin);
  });

  it('has nothing rendered that Chaos Mesh has nothing for', () => {
    for (const experiment of experiments) {
      expect(isTestbedFault(experiment.fault), experiment.id).toBe(experiment.injector === 'testbed');
      if (experiment.injector === 'testbed')
        expect(() => render(experiment, labelledTargets(experiment), 0)).toThrow(
          `experiment ${experiment.id}: Chaos Mesh has nothing for it`,
        );
    }
  });

  it('has ids that are used once', () => {
    expect(new Set(experiments.map(({ id }) => id)).size).toBe(experiments.length);
  });
});
