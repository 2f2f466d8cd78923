/** What an author of a performer imports: `import { servePerformer } from 'hourglass-operator/performer'`. */
export type { PerformerEvent, PerformerOptions } from './options.ts';
export { type DrainReport, type Performer, type PerformerHandlers, servePerformer } from './serve-performer.ts';
export { type FailureCode, TaskError } from './task-error.ts';
export type { Task } from './task-runs.ts';
