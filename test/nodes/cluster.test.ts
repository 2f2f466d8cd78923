import { describeInstall } from './suites/install.ts';
import { describeLatency } from './suites/latency.ts';
import { describeOperator } from './suites/operator.ts';
import { describePods } from './suites/pods.ts';
import { describeRights } from './suites/rights.ts';
import { describeRollouts } from './suites/rollout.ts';
import { NodesCluster } from './support/nodes-cluster.ts';

// One cluster for all that does no harm to its nodes, in this order: the last two need what those before them did.
const cluster = new NodesCluster();

describeInstall(cluster);
describeRollouts(cluster);
describePods(cluster);
describeLatency(cluster);
describeOperator(cluster);
describeRights(cluster);
