import { basename, join } from 'node:path';
import process from 'node:process';
import { chaosAgent } from '../../src/testbed/nodes/chaos-mesh.ts';
import { openNodeFaults } from '../../src/testbed/nodes/node-faults.ts';
import { openRealNodes } from '../../src/testbed/nodes/real-nodes.ts';
import { createAgent } from './agent.ts';
import { AttackBook } from './attack-book.ts';

// Started by the testbed in the network of the machine that has the controller of Chaos Mesh, and reached from nowhere else.
const [registryDir = '', controlPlane = ''] = process.argv.slice(2);
const nodes = openRealNodes(registryDir, controlPlane);
const say = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);
const book = new AttackBook(join(registryDir, 'attacks.json'));
createAgent({ nodes: nodes.names, faults: openNodeFaults(nodes), book, say }).listen(chaosAgent.port, chaosAgent.address, () =>
  say(`attacks on the nodes of cluster ${basename(registryDir)} are taken at ${chaosAgent.address}:${chaosAgent.port}`),
);
