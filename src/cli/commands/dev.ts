import { type Command, Option } from 'commander';
import type { NodeCut } from '../../testbed/nodes/real-nodes.ts';
import type { UpOptions } from '../dev.ts';
import type { ComponentAction } from '../dev-faults.ts';
import type { NodeAction } from '../dev-nodes.ts';
import type { FaultProxyOptions } from '../fault-proxy.ts';
import { collect, parseCount, parseOutput } from '../options.ts';

type Named = { readonly name: string };

/** The action of `dev node …`. */
const run = (action: NodeAction) => async (node: string, options: Named & { readonly from?: NodeCut }) =>
  (await import('../dev-nodes.ts')).runNode(action, node, options);

/** Clusters on this machine to try things on. What these commands do is loaded, with the testbed, when one of them runs. */
export function registerDev(program: Command): void {
  const dev = program
    .command('dev')
    .description('real control planes on this machine, with fake or real nodes: for trying out and for tests');
  const addNamed = (command: string): Command => dev.command(command).option('--name <name>', 'of the cluster', 'dev');
  addNamed('up')
    .description('start a cluster; it stays until `dev down`')
    .addOption(
      new Option('--profile <profile>', 'how fast pods live; `none` has no nodes at all')
        .choices(['instant', 'node-like', 'none'])
        .default('instant'),
    )
    .option('--dir <dir>', 'where its files go: a new or empty directory (default: under XDG_STATE_HOME)')
    .option('--json', 'print one JSON object: kubeconfig, pids, dir, name')
    .option('--detach', 'return when it is ready and leave it running', true)
    .option('--no-detach', 'stay, and end the cluster with this command')
    .option('--audit', 'log every call to its API server to logs/audit.log')
    .option('--nodes <count>', 'nodes (default: 4 fake ones, 3 real ones)', parseCount)
    .addOption(new Option('--real', 'real nodes: kubelets, containerd, Services that route; for root, on Linux').conflicts('profile'))
    .addOption(new Option('--timers <timers>', 'of real nodes: how soon a lost one is noticed').choices(['fast', 'stock']).default('fast'))
    .option('--chaos', 'with --real: Chaos Mesh on every node')
    .option('--no-install', 'with --real: name the packages that are missing, install none')
    .action(async (options: UpOptions) => (await import('../dev.ts')).runUp(options));
  addNamed('down')
    .description('end the processes of a cluster and remove its files')
    .addOption(new Option('--all', 'every cluster of this user').conflicts('name'))
    .action(async (options: { readonly name: string; readonly all?: boolean }) => (await import('../dev.ts')).runDown(options));
  dev
    .command('status')
    .description('list the clusters of this user')
    .option('--json', 'print one JSON object')
    .action(async (options: { readonly json?: boolean }) => (await import('../dev.ts')).printStatus(options));
  addNamed('kubectl')
    .description('run kubectl on a cluster: `bin/hourglass dev kubectl -- get pods`')
    .argument('[arguments...]', 'for kubectl')
    .action(async (args: readonly string[], { name }: { readonly name: string }) => (await import('../dev.ts')).runKubectl(name, args));
  const addNode = (command: string): Command => addNamed(command).argument('<node>', 'n1, n2, …');
  addNode('exec')
    .description('run a command in a real node: `bin/hourglass dev exec n1 -- ctr -n k8s.io containers ls`')
    .argument('<command...>', 'in its network, with its processes and mounts')
    .action(async (node: string, command: readonly string[], { name }: Named) =>
      (await import('../dev-nodes.ts')).runExec(name, node, command),
    );
  addNamed('logs')
    .description('print the log of a component: etcd, kube-apiserver, n1-kubelet, …; without one, name them all')
    .argument('[component]')
    .option('-f, --follow', 'go on until Ctrl-C')
    .action(async (component: string | undefined, options: Named & { readonly follow?: boolean }) =>
      (await import('../dev-nodes.ts')).runLogs(component, options),
    );
  addNamed('load-image')
    .description('put image archives (OCI layout, docker save) into every real node that is on')
    .argument('<files...>')
    .action(async (files: readonly string[], { name }: Named) => (await import('../dev-nodes.ts')).runLoadImage(name, files));
  const node = dev.command('node').description('what happens to real nodes');
  const addAction = (action: NodeAction, description: string): Command =>
    node.command(action).description(description).argument('<node>', 'n1, n2, …').option('--name <name>', 'of the cluster', 'dev');
  const plain = {
    stop: 'power it off: every process ends at once, its disk stays',
    start: 'power it on again',
    reboot: 'power it off and on again',
    freeze: 'let all its processes and pods stand still, as a virtual machine that is paused',
    thaw: 'let them go on',
    hang: 'let its kubelet stand still; pods go on',
    continue: 'let its kubelet go on',
    crash: 'kill its kubelet, which the node starts again',
    fill: 'fill the disk of its kubelet (with --chaos, which gives it one)',
    free: 'take away what fills it',
    heal: 'take every cut back',
  } as const satisfies Partial<Record<NodeAction, string>>;
  for (const [action, description] of Object.entries(plain)) addAction(action as NodeAction, description).action(run(action as NodeAction));
  addAction('cut', 'cut it off: its whole network, or kubelet and kube-proxy from the API server')
    .addOption(new Option('--from <what>', 'what it loses').choices(['network', 'control-plane']).default('network'))
    .action(run('cut'));
  const component = dev.command('component').description('what happens to etcd, kube-apiserver, kube-scheduler, …');
  const deeds = { stop: 'kill it', start: 'start it again', hang: 'let it stand still (SIGSTOP)', continue: 'let it go on' } as const;
  const withName = (command: Command): Command => command.option('--name <name>', 'of the cluster', 'dev');
  for (const [action, description] of Object.entries(deeds))
    withName(component.command(action).description(description).argument('<component>')).action(async (one: string, { name }: Named) =>
      (await import('../dev-faults.ts')).runComponent(action as ComponentAction, one, name),
    );
  const pod = dev.command('pod').description('what happens to process 1 of a pod on a real node');
  for (const action of ['hang', 'continue'] as const)
    withName(pod.command(action).description(deeds[action]).argument('<namespace/pod>')).action(async (one: string, { name }: Named) =>
      (await import('../dev-faults.ts')).runPod(action, one, name),
    );
  addNamed('squeeze')
    .description('have the API server answer 429 to a service account that asks for more at a time, by API priority and fairness')
    .argument('<namespace/serviceaccount>')
    .option('--shares <count>', 'of its places: 1 for about three requests at a time (default: one request at a time)', parseCount)
    .action(async (account: string, options: Named & { readonly shares?: number }) =>
      (await import('../dev-faults.ts')).runSqueeze(account, options),
    );
  addNamed('release')
    .description('take a squeeze back')
    .action(async ({ name }: Named) => (await import('../dev-faults.ts')).runRelease(name));
  dev
    .command('fault-proxy')
    .description('a proxy in front of an API server that does to its clients what networks and servers do at their worst; until Ctrl-C')
    .option('--target <cluster>', 'a kubeconfig file, or the name of a cluster of `dev up`', 'dev')
    .option('--seed <number>', 'of every chance that is taken', parseCount, 1)
    .addOption(
      new Option('--fault <fault>', 'NAME[=VARIANT,LENGTH][@verb:V,resource:R,path:REGEXP,nth:N,times:N,p:P]; `--fault help` lists them')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--for <namespace/deployment>', 'pods on real nodes that are to reach the API server through it while it runs')
    .option('--kubeconfig-out <file>', 'where the kubeconfig for its clients goes (default: a temporary file)')
    .option('--port <port>', 'to listen on (default: any that is free)', parseCount)
    .option('-o, --output <format>', 'text, or json: one object a line', parseOutput, 'text')
    .action(async (options: FaultProxyOptions) => (await import('../fault-proxy.ts')).runFaultProxy(options));
}
