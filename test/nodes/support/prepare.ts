import { join } from 'node:path';
import { projectRoot } from '../../../scripts/generate.ts';
import { type ImageFacts, makeImage } from '../../../scripts/images/make-image.ts';
import { readPins } from '../../../scripts/images/pins.ts';
import { findChaosTools } from '../../../src/testbed/nodes/chaos-mesh.ts';
import { prepareMachine } from '../../../src/testbed/nodes/machine.ts';
import { createProgress } from '../../../src/testbed/progress.ts';
import { findNodeTools } from '../../support/cluster.ts';

export const registry = 'registry.example.com';

export type NodeImage = 'operator' | 'test-performer' | 'k6';

/** Images, made unless they are there. */
export async function makeNodeImages(names: readonly NodeImage[] = ['operator', 'test-performer']): Promise<readonly ImageFacts[]> {
  const out = join(projectRoot, 'dist/images');
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const made: ImageFacts[] = [];
  for (const name of names)
    made.push((await makeImage(name, architecture, { out, registry }, readPins(), createProgress(process.stderr))).facts);
  return made;
}

/** Vitest runs it before all files on nodes: what they need is made once, since two of them run side by side. */
export default async function prepare(): Promise<void> {
  const report = createProgress(process.stderr);
  prepareMachine(report, true);
  await findNodeTools();
  // Compilers beside nodes would be taken for lost nodes. Elsewhere, who runs one file is not to wait for what another needs.
  if (process.env.CI !== undefined) await findChaosTools(report);
  await makeNodeImages();
}
