import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { performers } from '../../src/api/v1alpha1/performer.ts';
import { namespaces } from '../../src/kube/objects.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import type { EmbeddedCluster } from '../../src/testbed/embedded-cluster.ts';
import { kubectl, untilEstablished } from '../../src/testbed/kubectl.ts';
import type { ColdStarts } from './client-report.ts';

const run = promisify(execFile);
const crd = fileURLToPath(new URL('../../manifests/crd/hourglass.eigenlayer.io_performers.yaml', import.meta.url));
const lister = fileURLToPath(new URL('./list-by-client-node.ts', import.meta.url));
const namespace = 'cold-start';

export interface ColdStartOptions {
  readonly cluster: EmbeddedCluster;
  readonly kube: KubeApi;
  /** The bundle of the CLI. */
  readonly cli: string;
  readonly performers: number;
  readonly runs: number;
  readonly signal: AbortSignal;
}

/** Starts `once` and a lister made with client-node by turns, on Performers that `once` has settled before. @throws Error when `once` does not find them settled */
export async function measureColdStarts(options: ColdStartOptions): Promise<{ readonly starts: ColdStarts; readonly onceBytes: number }> {
  const { cluster, kube, cli, signal } = options;
  await kubectl(cluster, ['apply', '--server-side', '-f', crd]);
  await kubectl(cluster, untilEstablished('crd/performers.hourglass.eigenlayer.io'));
  for (const name of [namespace, 'hourglass-system']) await kube.create(namespaces, { metadata: { name } });
  for (let index = 0; index < options.performers; index += 1) {
    const metadata = { name: `bench-${index}`, namespace };
    const spec = { avsAddress: `0x${index.toString(16).padStart(40, '0')}`, image: 'avs:1' };
    await kube.create(performers, { apiVersion: 'hourglass.eigenlayer.io/v1alpha1', kind: 'Performer', metadata, spec });
  }
  const once = [cli, 'once', '--kubeconfig', cluster.kubeconfig, '-n', namespace];
  await run(process.execPath, [...once, '--wait', '120s'], { signal });

  const programs = {
    'once, with its Lease': once,
    'once, without a Lease': [...once, '--lease-namespace', 'nowhere'],
    'client-node, three lists': [lister, cluster.kubeconfig, namespace],
  };
  const seen = new Map(Object.keys(programs).map((name) => [name, { wallMs: [] as number[], peakBytes: [] as number[] }]));
  // One turn more than is counted: the first fills the file cache.
  for (let turn = -1; turn < options.runs; turn += 1) {
    for (const [name, args] of Object.entries(programs)) {
      const startedMs = performance.now();
      const { stdout } = await run(process.execPath, args, { signal });
      const wallMs = performance.now() - startedMs;
      if (args[0] === cli && !stdout.includes('Converged')) throw new Error(`${name}: the Performers are not settled:\n${stdout}`);
      // Reading memory costs time, so it has a run of its own.
      const { stderr } = await run(process.execPath, ['--import', tellPeak, ...args], { signal });
      if (turn < 0) continue;
      seen.get(name)?.wallMs.push(wallMs);
      seen.get(name)?.peakBytes.push(Number(/peak=(\d+)/.exec(stderr)?.[1]) * 1024);
    }
  }
  return { starts: Object.fromEntries(seen), onceBytes: await measureLoadedBytes(cli) };
}

/** What `once` loads in a pod: without the YAML reader, which only a kubeconfig that is there needs, and without what V8 made of it. */
async function measureLoadedBytes(cli: string): Promise<number> {
  const args = ['--import', tellBytes, cli, 'once', '--kubeconfig', `${cli}.no-such-file`];
  const { stderr } = await run(process.execPath, args).catch((error: { readonly stderr: string }) => error);
  return Number(/bytes=(\d+)/.exec(stderr)?.[1]);
}

const tellPeak = `data:text/javascript,process.on('exit',()=>process.stderr.write('peak='+process.resourceUsage().maxRSS))`;
/** Every file of code that is read, chunks that are loaded lazily included. */
const tellBytes = `data:text/javascript,import fs,{statSync}from'node:fs';import{registerHooks,syncBuiltinESMExports}from'node:module';
const seen=new Map(),read=fs.readFileSync;const see=(path)=>/[.]m?js$/.test(path)&&seen.set(String(path),statSync(path).size);
fs.readFileSync=(path,...rest)=>{see(path);return read(path,...rest)};syncBuiltinESMExports();
registerHooks({load(url,context,next){if(url.startsWith('file:'))see(decodeURI(new URL(url).pathname));return next(url,context)}});
process.on('exit',()=>process.stderr.write('bytes='+[...seen.values()].reduce((sum,size)=>sum+size,0)))`.replaceAll('\n', '');
