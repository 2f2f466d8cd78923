/** What a judge of clusters imports: `import { createOracles, OracleBoard, observeCluster } from 'hourglass-operator/oracle'`. */
export { createOracles } from './all.ts';
export { OracleBoard } from './board.ts';
export { calmContext, type OracleContext } from './define.ts';
export { type ObserveOptions, observeCluster } from './observe.ts';
export type { Answer, Change, ClusterView, Instance, Oracle, Rest, SeenKinds, Violation, Write } from './oracle.ts';
