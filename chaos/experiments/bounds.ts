import type { Bound, FigureName } from '../experiment.ts';

export const timed = (goal: string, figure: FigureName, atMost: number): Bound => ({ goal, figure, atMost, timed: true });
export const counted = (goal: string, figure: FigureName, atMost = 0): Bound => ({ goal, figure, atMost, timed: false });

/** Kept by every experiment: whom the fault does not meet notices nothing, and no task is begun twice. */
export const always = [counted('-', 'failed in baseline'), counted('-', 'failed of bystander'), counted('-', 'tasks begun twice')];
export const second = 1_000;
