import { isKubeFault } from '../../src/kube/faults.ts';
import type { ProgressReporter } from '../../src/testbed/progress.ts';
import { TestbedError } from '../../src/testbed/testbed-error.ts';

/** What may come of a cluster that is broken on purpose; anything else is a bug. Pure. */
export function isTrouble(error: unknown): error is Error {
  return error instanceof TestbedError || isKubeFault(error);
}

/** For what is done on the way out: it hides nothing that came before. @throws what is a bug */
export function tellTrouble(report: ProgressReporter): (error: unknown) => void {
  return (error) => {
    if (!isTrouble(error)) throw error;
    report.warn(error.message);
  };
}
