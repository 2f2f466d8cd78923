import type { Bound, FigureName } from '../experiment.ts';

export const timed = (goal: string, figure: FigureName, atMost: number): Bound => ({ goal, figure, atMost, timed: true });
export const counted = (goal: string, figure: FigureName, atMost = 0): Bound => ({ goal, figure, atMost, timed: false });

/** Kept by every experiment: the load was well before, and no task is begun twice. */
export const evenIfBusy = [counted('-', 'failed in baseline'), counted('-', 'tasks begun twice')];
/** Kept by all that leave the machine its room: whom the fault does not meet notices nothing. */
export const always = [...evenIfBusy, counted('-', 'failed of bystander')];
export const second = 1_000;
