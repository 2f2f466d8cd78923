/** What the images are made of that is not ours: exact files, by their hash. `npm run image -- --update-base` writes `pins.json` anew. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readVersions } from '../../src/testbed/tools.ts';
import { ImageError } from './image-error.ts';

export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<Architecture, { /** Below the archive's root. */ readonly path: string; readonly sha256: string }>>;
}
export interface Pins {
  readonly debian: {
    readonly release: string /** A mirror that has them as of then: what the archive itself no longer holds. */;
    readonly snapshot: string;
    readonly packages: readonly DebianPackage[];
  };
  readonly node: {
    readonly version: string /** Of the npm package, as a lock file says it. */;
    readonly integrity: Readonly<Record<Architecture, string>>;
  };
}

const pinsFile = join(dirname(fileURLToPath(import.meta.url)), 'pins.json');
const run = promisify(execFile);

export const readPins = (): Pins => JSON.parse(readFileSync(pinsFile, 'utf8')) as Pins;

/** The npm package that holds Node's binary for a platform. */
export const nodePackage = (architecture: Architecture): string => `node-linux-${architecture === 'amd64' ? 'x64' : 'arm64'}`;

/** What Node's binary is linked with (`readelf -d`), what these need, and the texts of their licences. */
const debianNames = ['base-files', 'gcc-14-base', 'libc6', 'libgcc-s1', 'libstdc++6'];
const debianRelease = 'trixie';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Looks up the newest packages, Debian's through apt (which checks the archive's signatures) in a state of its own, and writes pins.json.
 *
 * @returns one line per change
 * @throws ImageError when apt or the network is missing
 */
export async function updatePins(nowMs: number): Promise<readonly string[]> {
  const before = readPins();
  const packages = await askApt();
  const { node: version } = readVersions();
  const integrity = {} as Record<Architecture, string>;
  for (const architecture of architectures) {
    const { stdout } = await run('npm', ['view', `${nodePackage(architecture)}@${version}`, 'dist.integrity']);
    integrity[architecture] = stdout.trim();
  }
  const same = JSON.stringify(packages) === JSON.stringify(before.debian.packages);
  const snapshot = same ? before.debian.snapshot : `${new Date(nowMs).toISOString().slice(0, 10).replaceAll('-', '')}T235959Z`;
  const pins: Pins = { debian: { release: debianRelease, snapshot, packages }, node: { version, integrity } };
  writeFileSync(pinsFile, `${JSON.stringify(pins, null, 2)}\n`);
  const was = new Map([...before.debian.packages, { name: 'node', version: before.node.version }].map((one) => [one.name, one.version]));
  const now = [...packages, { name: 'node', version }];
  return now.filter((one) => was.get(one.name) !== one.version).map((one) => `${one.name} ${was.get(one.name) ?? 'none'} → ${one.version}`);
}

async function askApt(): Promise<readonly DebianPackage[]> {
  const dir = mkdtempSync(join(tmpdir(), 'hourglass-apt-'));
  try {
    for (const folder of ['state/lists/partial', 'cache/archives/partial', 'etc/apt.conf.d', 'etc/preferences.d']) {
      mkdirSync(join(dir, folder), { recursive: true });
    }
    writeFileSync(join(dir, 'status'), '');
    const suites = [debianRelease, `${debianRelease}-updates`].map((suite) => `${debianArchive}/debian ${suite}`);
    const sources = [...suites, `${debianArchive}/debian-security ${debianRelease}-security`];
    writeFileSync(join(dir, 'sources.list'), sources.map((source) => `deb [signed-by=${keyring}] ${source} main\n`).join(''));
    const settings = {
      Dir: dir,
      'Dir::State': 'state',
      'Dir::State::status': join(dir, 'status'),
      'Dir::Cache': 'cache',
      'Dir::Etc': 'etc',
      'Dir::Etc::sourcelist': join(dir, 'sources.list'),
      'Dir::Etc::sourceparts': '-',
      'Acquire::Languages': 'none',
      'APT::Architecture': 'amd64',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
    writeFileSync(join(dir, 'apt.conf'), [...lines, 'APT::Architectures { "amd64"; "arm64"; };\n'].join(''));
    const env = { ...process.env, APT_CONFIG: join(dir, 'apt.conf') };
    await run('apt-get', ['update', '--error-on=any'], { env });
    const asked = debianNames.flatMap((name) => architectures.map((architecture) => `${name}:${architecture}`));
    const { stdout } = await run('apt-cache', ['show', '--no-all-versions', ...asked], { env });
    const found = stdout.split(/\n\n+/).map(parseControl);
    return debianNames.map((name) => describe(name, found));
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const said = error instanceof Error ? error.message.trim() : String(error);
    throw new ImageError(`asking Debian's archive: ${said}\nThis needs apt with Debian's keyring (${keyring}), and the network.`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Where Debian's packages are fetched from; what is fetched is checked by its hash. */
export const debianArchive = process.env.DEBIAN_ARCHIVE ?? 'http://deb.debian.org';
/** Where versions are that the archive no longer holds. */
export const debianSnapshot = process.env.DEBIAN_SNAPSHOT ?? 'http://snapshot.debian.org/archive';

function describe(name: string, found: readonly ReadonlyMap<string, string>[]): DebianPackage {
  const of = (architecture: Architecture): ReadonlyMap<string, string> => {
    const one = found.find((entry) => entry.get('Package') === name && [architecture, 'all'].includes(entry.get('Architecture') ?? ''));
    if (one === undefined) throw new ImageError(`asking Debian's archive: ${debianRelease} has no ${name} for ${architecture}`);
    return one;
  };
  const version = of('amd64').get('Version') ?? '';
  if (of('arm64').get('Version') !== version)
    throw new ImageError(`${name}: amd64 and arm64 are at different versions; try again in an hour`);
  const file = (architecture: Architecture) => {
    const entry = of(architecture);
    return { path: entry.get('Filename') ?? '', sha256: entry.get('SHA256') ?? '' };
  };
  return { name, version, files: { amd64: file('amd64'), arm64: file('arm64') } };
}

/** The one-line fields of a paragraph in Debian's control format. Pure. */
function parseControl(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/^([\w-]+): (.*)$/gm)].map(([, field = '', value = '']) => [field, value]));
}
