#!/usr/bin/env node
/**
 * What `hourglass.js` is: starts the CLI from the code that V8 made of it at build time, since to parse and compile it anew takes a sixth
 * of a short run. With another Node, other flags, or no such file V8 compiles it as usual.
 */
import { readFileSync } from 'node:fs';
// Needed by nearly every command, and to be loaded before flags are set: V8 takes no kept code, Node's own included, once flags differ.
import 'node:http2';
import Module from 'node:module';
import { join } from 'node:path';
import 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

const filename = join(__dirname, 'core.js');
const cachedData = findCode(join(__dirname, 'core.cache'));
const script = new Script(Module.wrap(readFileSync(filename, 'utf8')), { filename, ...(cachedData === undefined ? {} : { cachedData }) });
// A run that looks once is over before room for new objects pays for itself; V8 would grow it fourfold.
if (process.argv.includes('once')) setFlagsFromString('--semi-space-growth-factor=1');
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
