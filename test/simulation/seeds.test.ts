import { describe, expect, it } from 'vitest';
import { hourglass } from '../support/cli.ts';

/** So many runs a test can afford; `npm run simulate -- --seeds N --from M` runs others. */
const seeds = 1_500;

interface Summary {
  readonly seeds: number;
  readonly violated: number;
  readonly lacks: readonly string[];
  readonly median: { readonly performers: number; readonly writes: number; readonly faults: number; readonly simulatedMs: number };
}

describe(`${seeds} seeds`, () => {
  it('violate nothing, bring every fault and put every statement to the test', async () => {
    const { code, stdout, stderr } = await hourglass(['simulate', '--seeds', String(seeds), '--json']);
    const told = stderr.split('\n').filter((line) => line.startsWith('seed '));
    expect(told).toEqual([]);
    const summary = JSON.parse(stdout) as Summary;
    expect(summary.lacks).toEqual([]);
    expect(summary).toMatchObject({ seeds, violated: 0 });
    expect(code).toBe(0);
    const { performers, writes, faults, simulatedMs } = summary.median;
    expect({ performers: performers >= 20, writes: writes >= 50, faults: faults >= 5, minutes: simulatedMs >= 600_000 }).toEqual({
      performers: true,
      writes: true,
      faults: true,
      minutes: true,
    });
    console.log(
      `median seed: ${performers} Performers, ${writes} writes, ${faults} faults, ${(simulatedMs / 60_000).toFixed(1)} simulated minutes`,
    );
  });
});
