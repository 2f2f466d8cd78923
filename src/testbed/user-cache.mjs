// Plain JavaScript over Node's own modules: the bootstrap loads this file before anything is installed, on Node 18.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

const pollMs = 200;
const heartbeatMs = 5_000;
const deafMs = 30_000;

export function userCacheDir(env = process.env) {
  const base = env.XDG_CACHE_HOME;
  // The XDG specification: a relative path there is to be ignored.
  return join(base !== undefined && isAbsolute(base) ? base : join(env.HOME || homedir(), '.cache'), 'hourglass');
}

export async function withLock(path, run, options = {}) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), token: randomUUID() });
  await acquire(path, mine, options);
  const heartbeat = setInterval(() => refresh(path, mine), heartbeatMs);
  heartbeat.unref();
  try {
    return await run();
  } finally {
    clearInterval(heartbeat);
    if (read(path) === mine) rmSync(path, { force: true });
  }
}

async function acquire(path, mine, options) {
  let waitingFor;
  for (;;) {
    if (claim(path, mine)) return;
    const seen = look(path);
    if (seen !== undefined) {
      if (waitingFor?.mark !== seen.mark) waitingFor = { mark: seen.mark, sinceMs: performance.now() };
      const deaf = performance.now() - waitingFor.sinceMs > (options.deafMs ?? deafMs);
      if (isDead(seen.holder) || deaf) breakLock(path, seen.text);
      else options.onWait?.(seen.holder.pid);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

// A hard link appears with its whole content or not at all, so nobody reads a lock without an owner.
function claim(path, mine) {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, mine);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

function look(path) {
  try {
    const text = readFileSync(path, 'utf8');
    return { text, mark: `${text}@${statSync(path).mtimeMs}`, holder: parse(text) };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text) {
  try {
    const { pid, host } = JSON.parse(text);
    return { pid: Number.isInteger(pid) && pid > 0 ? pid : 0, host: String(host) };
  } catch {
    return { pid: 0, host: hostname() };
  }
}

// A process of another host (a shared home, a container) cannot be asked; only its silence counts.
function isDead(holder) {
  if (holder.host !== hostname()) return false;
  if (holder.pid === 0) return true;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

// Only the holder of `.break` removes another's lock, and only the very one that was found stale. It holds for an instant: an old one is a crash's.
function breakLock(path, stale) {
  const breaker = `${path}.break`;
  if (!claim(breaker, stale)) {
    const madeMs = statSync(breaker, { throwIfNoEntry: false })?.mtimeMs;
    if (madeMs !== undefined && Date.now() - madeMs > 10_000) rmSync(breaker, { force: true });
    return;
  }
  try {
    if (read(path) === stale) rmSync(path, { force: true });
  } finally {
    rmSync(breaker, { force: true });
  }
}

function refresh(path, mine) {
  if (read(path) === mine) utimesSync(path, new Date(), new Date());
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
