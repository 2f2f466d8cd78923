import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderCrdYaml } from '../src/api/crd/performer-crd-yaml.ts';

export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Every file that is generated, by its path from the project root. Computes, writes nothing. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([['manifests/crd/hourglass.eigenlayer.io_performers.yaml', renderCrdYaml()]]);
}

async function generate(): Promise<void> {
  for (const [path, content] of await generatedFiles()) {
    const target = join(projectRoot, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
    console.log(path);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await generate();
