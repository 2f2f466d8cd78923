import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** All that lies in it is generated. */
const folder = 'src/grpc/gen';

/** The code of every message and service under `proto/`, by its path from the project root. Asks no network. */
export async function renderGrpcCode(projectRoot: string): Promise<ReadonlyMap<string, string>> {
  const packages = join(projectRoot, 'node_modules', '@bufbuild');
  const out = await mkdtemp(join(tmpdir(), 'hourglass-grpc-'));
  try {
    const plugin = {
      local: [process.execPath, join(packages, 'protoc-gen-es', 'bin', 'protoc-gen-es')],
      out: '.',
      opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
    };
    const template = JSON.stringify({ version: 'v2', plugins: [plugin] });
    const args = [join(packages, 'buf', 'bin', 'buf'), 'generate', join(projectRoot, 'proto'), '--template', template, '-o', out];
    await run(process.execPath, args, { cwd: projectRoot });
    const paths = globSync('**/*.ts', { cwd: out }).map((path) => path.replaceAll('\\', '/'));
    const read = async (path: string) => [posix.join(folder, path), await readFile(join(out, path), 'utf8')] as const;
    return new Map(await Promise.all(paths.toSorted().map(read)));
  } finally {
    await rm(out, { recursive: true });
  }
}
