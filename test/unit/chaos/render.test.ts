import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Experiment, isTestbedFault } from '../../../chaos/experiment.ts';
import { experiments } from '../../../chaos/experiments/catalogue.ts';
import { labelledTargets, render, renderSchedule, renderTogether, renderWorkflow } from '../../../chaos/render.ts';
import { renderChaosFiles } from '../../../chaos/rendered-files.ts';
import { faultIds } from '../../../src/sim/faults/faults.ts';

const byId = (id: string): Experiment => experiments.filter((one) => one.id === id)[0] as Experiment;

describe('render', () => {
  it('meets pods by name where the runner chose them, and never by chance', () => {
    const { spec } = render(byId('C1'), { pods: { namespace: 'ns', names: ['a'] } }, 0);
    expect(spec).toEqual({ action: 'pod-kill', gracePeriod: 0, mode: 'all', selector: { namespaces: ['ns'], pods: { ns: ['a'] } } });
  });

  it('names the namespaces of every selector: without them all would be meant', () => {
    for (const experiment of experiments.filter(({ injector, fault }) => injector === 'chaos-mesh' && fault.kind !== 'together')) {
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
    const { spec } = render(byId('C7'), { pods: { namespace: 'ns', names: [] }, machines: ['n3'], uid: 'u' }, 5_000);
    expect(spec).toMatchObject({
      uid: 'u',
      selector: { physicalMachines: { 'chaos-mesh': ['n3'] } },
      user_defined: { attackCmd: 'power-off', recoverCmd: 'power-on' },
    });
  });

  it('says how each fault of a node is undone, and has no end where that is over at once', () => {
    const specOf = (id: string): object => render(byId(id), labelledTargets(byId(id)), byId(id).lastsMs.full).spec;
    expect(specOf('C7e')).toMatchObject({ user_defined: { attackCmd: 'link-down', recoverCmd: 'link-up' }, duration: '60s' });
    expect(specOf('C7f')).toMatchObject({ user_defined: { attackCmd: 'reboot', recoverCmd: 'power-on' } });
    expect(specOf('C7f')).not.toHaveProperty('duration');
    expect(specOf('C8')).toMatchObject({ mode: 'all', selector: { physicalMachines: { 'chaos-mesh': ['n1', 'n2'] } } });
  });

  it('leaves open, for whoever applies it, which node the operator is on that leads', () => {
    const file = parse(renderChaosFiles().get('chaos/rendered/c7h.yaml') ?? '') as object;
    expect(file).toMatchObject({ spec: { selector: { physicalMachines: { 'chaos-mesh': ['NODE-OF-THE-LEADER'] } } } });
  });

  it('is a Workflow where it is several at once, the later ones behind a pause', () => {
    const { kind, spec } = renderTogether(byId('C10a'), 60_000, 5_000) as {
      kind: string;
      spec: { templates: { name: string; templateType: string; children?: string[] }[] };
    };
    expect(kind).toBe('Workflow');
    expect(spec.templates.map(({ name, templateType, children }) => [name, templateType, children])).toEqual([
      ['entry', 'Parallel', ['c10a-1', 'then-c10a-2']],
      ['then-c10a-2', 'Serial', ['before-c10a-2', 'c10a-2']],
      ['before-c10a-2', 'Suspend', undefined],
      ['c10a-1', 'NetworkChaos', undefined],
      ['c10a-2', 'PodChaos', undefined],
    ]);
  });

  it('is a Schedule at its own pace where it comes again and again', () => {
    expect(parse(renderChaosFiles().get('chaos/rendered/c11.yaml') ?? '')).toMatchObject({
      kind: 'Schedule',
      spec: { schedule: '@every 20s', type: 'PodChaos', podChaos: { action: 'pod-kill' } },
    });
    expect(renderChaosFiles().has('chaos/rendered/schedules/c11.yaml')).toBe(false);
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
