/**
 * `npm run image [-- --only operator,test-performer,k6,base] [--arch amd64,arm64] [--out DIR] [--registry R] [--tag T] [--source URL] [--json]`:
 * images as archives, without Docker; see docs/images.md. `--update-base` looks up newer packages of the base first.
 */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { createProgress } from '../src/testbed/progress.ts';
import { TestbedError } from '../src/testbed/testbed-error.ts';
import { ImageError } from './images/image-error.ts';
import { type ImageFacts, type ImageOptions, makeImage } from './images/make-image.ts';
import { type Architecture, architectures, readPins, updatePins } from './images/pins.ts';
import { type ProgramName, programs, root } from './images/programs.ts';

const usage =
  'usage: npm run image [-- --only operator,test-performer,k6,base] [--arch amd64,arm64] [--out DIR] [--registry R] [--tag T] [--source URL] [--json] [--update-base]';
process.exitCode = await main();

async function main(): Promise<number> {
  let asked: ReturnType<typeof parse>;
  try {
    asked = parse();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 2;
  }
  const { only, arch, json, updateBase, options } = asked;
  const report = createProgress(process.stderr);
  try {
    if (updateBase) {
      report.step('Asking Debian and npm for the newest packages');
      const changes = await updatePins(Date.now());
      report.done(changes.length === 0 ? 'The base is the newest there is' : `scripts/images/pins.json: ${changes.join(', ')}`);
    }
    const pins = readPins();
    const all: ImageFacts[] = [];
    for (const program of only)
      for (const architecture of arch) {
        const { facts, made } = await makeImage(program, architecture, options, pins, report);
        all.push(facts);
        if (!json) console.log(line(facts, made));
      }
    if (json) console.log(JSON.stringify(all, null, 2));
    return 0;
  } catch (error) {
    if (!(error instanceof ImageError || error instanceof TestbedError)) throw error;
    report.warn(error.message);
    return 1;
  }
}

function parse(): {
  readonly only: readonly ProgramName[];
  readonly arch: readonly Architecture[];
  readonly json: boolean;
  readonly updateBase: boolean;
  readonly options: ImageOptions;
} {
  const text = { type: 'string' } as const;
  const yes = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: { only: text, arch: text, out: text, registry: text, tag: text, source: text, json: yes, 'update-base': yes },
  });
  const { registry = 'registry.example.com', out = join(root, 'dist', 'images'), tag, source, json } = values;
  const only = choose('image', values.only ?? 'operator,test-performer,k6', Object.keys(programs) as ProgramName[]);
  const arch = choose('processor', values.arch ?? architectures.join(), architectures);
  const options = { out, registry, ...(tag === undefined ? {} : { tag }), ...(source === undefined ? {} : { source }) };
  return { only, arch, json, updateBase: values['update-base'], options };
}

function choose<T extends string>(what: string, asked: string, known: readonly T[]): readonly T[] {
  const names = asked.split(',');
  const unknown = names.filter((name) => !known.includes(name as T));
  if (unknown.length > 0) throw new Error(`no such ${what}: ${unknown.join(', ')}`);
  return names as T[];
}

function line({ name, architecture, digest, bytes, unpackedBytes, file }: ImageFacts, made: boolean): string {
  const mb = (count: number): string => `${(count / 1e6).toFixed(1)} MB`;
  const state = made ? 'made' : 'up to date';
  return `${name} ${architecture} ${state}: ${mb(bytes)}, ${mb(unpackedBytes)} unpacked\n  ${digest}\n  ${relative(process.cwd(), file)}`;
}
