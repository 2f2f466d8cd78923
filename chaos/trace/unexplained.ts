/** What a replay found no way to. */
export interface Unexplained {
  readonly atMs: number;
  readonly who: string;
  /** `patch performers/status alpha`. */
  readonly what: string;
  readonly why: string;
}
