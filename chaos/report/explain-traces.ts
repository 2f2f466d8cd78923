import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ArgumentError } from '../../src/bench/argument-error.ts';
import { formatTime } from '../../src/lib/time.ts';
import { describeExplained, type Explained, explainTrace } from '../trace/explain.ts';
import type { Trace } from '../trace/trace.ts';

const suffix = '.json.gz';

/**
 * Replays the traces that runs have left, with the operator and the simulator of now.
 *
 * @param path of a trace, or of the folder of a run
 * @returns a part for each trace, and whether all of all was explained
 * @throws ArgumentError when there is none, or it is not one
 */
export async function explainTraces(path: string): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const files = path.endsWith(suffix) ? [path] : await findTraces(path);
  const told: string[] = [];
  let isWhole = true;
  for (const file of files) {
    const explained = explainTrace(await readTrace(file));
    isWhole &&= explained.unexplained.length === 0;
    told.push(formatExplained(basename(file, suffix), explained));
  }
  return { text: told.join('\n'), isWhole };
}

async function findTraces(dir: string): Promise<readonly string[]> {
  const folder = join(dir, 'traces');
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith(suffix)).toSorted();
  if (files.length > 0) return files.map((name) => join(folder, name));
  throw new ArgumentError(`${dir}: no run has left a trace there; name the --out of \`hourglass chaos\` on a cluster of the testbed`);
}

async function readTrace(file: string): Promise<Trace> {
  try {
    const trace = JSON.parse(gunzipSync(await readFile(file)).toString()) as Partial<Trace>;
    if (!Array.isArray(trace.sights) || !Array.isArray(trace.entries)) throw new Error('not a trace as `hourglass chaos` writes it');
    return trace as Trace;
  } catch (error) {
    throw new ArgumentError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function formatExplained(name: string, explained: Explained): string {
  const lines = explained.unexplained.map(({ atMs, who, what, why }) => `  ${formatTime(atMs)} ${what} by ${who}: ${why}`);
  return [`${name}: ${describeExplained({ ...explained, unexplained: [] })}`, ...lines].join('\n');
}
