#!/usr/bin/env node
/**
 * What `hourglass.js` is: starts the CLI from the code that V8 made of it at build time, since to parse and compile it anew takes a sixth
 * of a short run. With another Node, other flags, or no such file V8 compiles it as usual.
 */
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

const filename = join(__dirname, 'core.js');
const cachedData = findCode(join(__dirname, 'core.cache'));
const script = new Script(Module.wrap(readFileSync(filename, 'utf8')), { filename, ...(cachedData === undefined ? {} : { cachedData }) });
if (process.argv.includes('once') && !process.argv.includes('simulate')) {
  // V8 takes no kept code any more, Node's own included, once a flag differs: what is needed anyway comes first.
  for (const name of ['node:http2', 'node:os', 'node:perf_hooks', 'node:tls']) require(name);
  // A run that looks once is over before its last optimizer, or room for new objects (V8 would grow it fourfold), pays for itself: 10 MiB.
  // The optimizer before that is for what runs two thousand times (400 for V8), as in a cluster with thousands of Performers.
  for (const flag of ['--no-opt', '--invocation-count-for-maglev=2000', '--semi-space-growth-factor=1']) setFlagsFromString(flag);
}
const core = new Module(filename, module);
Object.assign(core, { filename, paths: module.paths, loaded: true });
// Where the lazy parts find what they share with it.
require.cache[filename] = core;
script.runInThisContext()(core.exports, require, core, filename, __dirname);

function findCode(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
