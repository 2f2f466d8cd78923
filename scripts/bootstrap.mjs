#!/usr/bin/env node
// node scripts/bootstrap.mjs SCRIPT.ts [ARGUMENTS]
// Installs what package-lock.json names where that has not been done, then runs the script under the pinned Node.
// Needs nothing but Node 18 and npm: no package, no syntax younger than Node 18.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { userCacheDir, withLock } from '../src/testbed/user-cache.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const binaries = join(modules, '.bin');
const pinnedNode = join(modules, 'node', 'bin', 'node');
const stamp = join(modules, '.hourglass-install');

class SetupError extends Error {}

try {
  const [script, ...args] = process.argv.slice(2);
  if (script === undefined) throw new SetupError('usage: node scripts/bootstrap.mjs SCRIPT.ts [ARGUMENTS]');
  if (Number(process.versions.node.split('.')[0]) < 18) {
    throw new SetupError(
      `Node ${process.versions.node} is too old to install this project: it takes Node 18 or newer (the project then runs on its own Node 24)`,
    );
  }
  await ensureInstalled();
  await run(resolve(script), args);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`hourglass: ${error.message}`);
  process.exitCode = 2;
}

async function ensureInstalled() {
  if (isInstalled()) return;
  const project = createHash('sha256').update(root).digest('hex').slice(0, 16);
  let told = false;
  const onWait = (pid) => {
    if (!told) console.error(`hourglass: waiting for process ${pid}, which is installing the packages of ${root}`);
    told = true;
  };
  // Not inside node_modules: npm ci deletes that folder.
  await withLock(join(userCacheDir(), 'locks', `install-${project}`), async () => (isInstalled() ? undefined : install()), { onWait });
}

function isInstalled() {
  return existsSync(pinnedNode) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wantedStamp();
}

function wantedStamp() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${lock} ${process.platform}-${process.arch}\n`;
}

async function install() {
  const wanted = wantedStamp();
  const startedMs = performance.now();
  console.error('hourglass: installing packages (npm ci, about 20 s the first time) …');
  rmSync(stamp, { force: true });
  // The package `node` fetches its binary in an install script, and the tools are development dependencies:
  // a user's own npm settings must switch off neither.
  const npmArgs = ['ci', '--ignore-scripts=false', '--include=dev', '--no-audit', '--no-fund'];
  const { code, output } = await npm(npmArgs);
  if (code !== 0) {
    throw new SetupError(`npm ci failed (${code}) in ${root}; its output:\n${output.trimEnd()}\nMend that and run the same command again.`);
  }
  if (!existsSync(pinnedNode)) throw new SetupError(`npm ci left no Node at ${pinnedNode}; its output:\n${output.trimEnd()}`);
  // Last, and in one step: an installation that was cut off has no stamp.
  writeFileSync(`${stamp}.part`, wanted);
  renameSync(`${stamp}.part`, stamp);
  console.error(`hourglass: packages installed in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
}

function npm(args) {
  // npm must not run on the Node that it is about to delete.
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== binaries);
  return new Promise((resolveRun, reject) => {
    const child = spawn('npm', args, { cwd: root, env: { ...process.env, PATH: path.join(delimiter) }, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    const stop = passSignalsTo(child);
    child.on('error', (error) => {
      stop();
      const missing =
        'npm is missing: install it (it comes with Node; on Debian and Ubuntu: apt-get install npm) and run the same command again';
      reject(new SetupError(error.code === 'ENOENT' ? missing : `npm cannot be started: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      stop();
      if (signal !== null) process.kill(process.pid, signal);
      resolveRun({ code: code ?? signal, output: Buffer.concat(chunks).toString() });
    });
  });
}

async function run(script, args) {
  const tsx = pathToFileURL(createRequire(join(root, 'package.json')).resolve('tsx')).href;
  const withParent = pathToFileURL(join(root, 'scripts', 'end-with-parent.mjs')).href;
  const env = {
    ...process.env,
    PATH: [binaries, ...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== binaries)].join(delimiter),
    // Else tsx reads the tsconfig.json of whatever folder the user stands in.
    TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
    HOURGLASS_PARENT_FD: '3',
  };
  // Descriptor 3 closes when this process dies, however it dies: that is how the child learns of a kill -9.
  const child = spawn(pinnedNode, ['--import', withParent, '--import', tsx, script, ...args], {
    env,
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  const stop = passSignalsTo(child);
  const { code, signal } = await new Promise((resolveRun, reject) => {
    child.on('error', reject);
    child.on('exit', (exitCode, exitSignal) => resolveRun({ code: exitCode, signal: exitSignal }));
  });
  stop();
  process.exitCode = code ?? 128 + constants.signals[signal];
  if (signal !== null) process.kill(process.pid, signal);
}

/** A terminal sends Ctrl-C to the child as well; passed on, it would arrive twice and read as impatience. */
function passSignalsTo(child) {
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => {
    const handler = () => {
      if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name);
    };
    process.on(name, handler);
    return () => process.off(name, handler);
  });
  return () => {
    for (const off of handlers) off();
  };
}
