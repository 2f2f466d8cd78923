/**
 * `npm run lock`: makes package-lock.json anew under the pinned Node, whole for every platform.
 *
 * A registry mirror may not hold the binaries of platforms it does not serve. npm then leaves these optional packages out of the lock
 * file and later refuses that very file (`npm ci`: "Missing: … from lock file"). They are entered here by what their names say;
 * npm never fetches those of another platform.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface LockEntry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}
interface LockFile {
  packages: Record<string, LockEntry>;
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** Enters the optional platform packages that are missing. Pure. @throws Error for one whose name tells no platform */
export function completeLock(lock: LockFile): LockFile {
  const packages = { ...lock.packages };
  for (const entry of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      if (packages[path] !== undefined) continue;
      packages[path] = { version, ...(entry.dev === true ? { dev: true } : {}), optional: true, ...platformOf(name) };
    }
  }
  return { ...lock, packages: Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> {
  const words = name.slice(name.lastIndexOf('/') + 1).split('-');
  const os = words.find((word) => systems.includes(word));
  const cpu = words.find((word) => processors.includes(word));
  if (os === undefined || cpu === undefined) throw new Error(`package-lock.json: ${name} is missing, and its name tells no platform`);
  const last = words.at(-1) ?? '';
  const libc = os !== 'linux' ? [] : last.startsWith('musl') ? ['musl'] : last.startsWith('gnu') ? ['glibc'] : [];
  return { os: [os], cpu: [cpu], ...(libc.length === 0 ? {} : { libc }) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  execFileSync('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
  const path = join(root, 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8')) as LockFile;
  const complete = completeLock(lock);
  writeFileSync(path, `${JSON.stringify(complete, null, 2)}\n`);
  console.log(`package-lock.json: ${Object.keys(complete.packages).length - Object.keys(lock.packages).length} platform packages entered`);
}
