/** Mutants that no test can notice, each with the reason. Reviewed by hand; one that matches nothing any more fails the run. */
export const equivalents: readonly Equivalent[] = [];

export interface Equivalent {
  readonly file: string;
  /** What stands there, as a survivor's line shows it; every place in the file with that text counts. */
  readonly original: string;
  readonly replacement: string;
  readonly reason: string;
}
