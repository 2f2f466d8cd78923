import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { arch } from 'node:process';
import { writeImageArchive } from '../../images/archive.ts';
import type { ProcessRecord } from '../cluster-state.ts';
import { startComponent } from '../processes.ts';
import { toTestbedError } from '../testbed-error.ts';
import { makeCgroup } from './cgroups.ts';
import { planChaosMachine, planChaosParts } from './chaos-mesh.ts';
import { cgroupOf, type MachinePlan, type NodeSettings, nodeDir, pauseImage, planNode } from './node-plan.ts';

/** What every machine of a cluster has in common. */
export interface Launch extends Omit<NodeSettings, 'name' | 'beside'> {
  readonly registryDir: string;
  readonly dieWithParent: boolean;
}

/** Switches a node on. `record` gets the process that is its power supply; resolves with how that ended. @throws TestbedError */
export function launchNode(launch: Launch & { readonly name: string }, record: (record: ProcessRecord) => void): Promise<string> {
  makeCgroup(cgroupOf(launch.cluster, launch.name));
  const { paths, name, nodes } = launch;
  const beside = nodes.chaosDaemon === undefined ? {} : { beside: planChaosParts(paths, name, nodes.chaosDaemon) };
  return launchMachine(launch, planNode({ ...launch, ...beside }), record);
}

/** Switches on the machine that the controller of Chaos Mesh has for itself. @throws TestbedError */
export function launchChaosMachine(
  launch: Launch & { readonly program: string },
  record: (record: ProcessRecord) => void,
): Promise<string> {
  return launchMachine(launch, planChaosMachine(launch), record);
}

function launchMachine(launch: Launch, { files, spec }: MachinePlan, record: (record: ProcessRecord) => void): Promise<string> {
  const { paths, controlPlane, registryDir, dieWithParent } = launch;
  const dir = nodeDir(paths, spec.name);
  const specPath = join(dir, 'node.json');
  try {
    for (const [file, text] of Object.entries({ ...files, 'node.json': JSON.stringify(spec, undefined, 2) })) {
      mkdirSync(dirname(join(dir, file)), { recursive: true, mode: 0o700 });
      writeFileSync(join(dir, file), text, { mode: 0o600 });
    }
    const logPath = join(paths.logs, `${spec.name}.log`);
    return startComponent({ binary: controlPlane, argv: ['node', specPath], cwd: dir, logPath, registryDir, dieWithParent }, record);
  } catch (error) {
    throw toTestbedError(`starting node ${spec.name}`, error);
  }
}

/** The image that every pod starts from, of one static program. */
export async function writePauseImage(path: string, program: string): Promise<void> {
  if (existsSync(path)) return;
  await writeImageArchive(path, {
    name: pauseImage,
    architecture: arch === 'arm64' ? 'arm64' : 'amd64',
    layers: [[{ path: 'pause', source: program, mode: 0o755 }]],
    entrypoint: ['/pause'],
    user: '65535:65535',
  });
}

/** Runs a program of this machine in the network of process `pid`; throws what it said when it fails. */
export function runInNetwork(pid: number, command: readonly string[]): string {
  return execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, ...command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
