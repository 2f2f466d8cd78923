import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTar } from '../../scripts/images/read-tar.ts';
import { type Image, writeImageArchive } from '../../src/images/archive.ts';
import type { LayerEntry } from '../../src/images/layer.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hourglass-image-'));
  writeFileSync(join(folder, 'program'), 'a program', { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = (): LayerEntry => ({ path: 'usr/bin/pause', source: join(folder, 'program'), mode: 0o755 });
const note: LayerEntry = { path: 'etc/note', content: 'read me', uid: 65532, gid: 65532 };
const image = (change: Partial<Image> = {}): Image => ({
  name: 'registry.example.com/pause:1',
  architecture: 'amd64',
  layers: [[program(), note, { path: 'bin', linkTo: 'usr/bin' }]],
  entrypoint: ['/bin/pause'],
  ...change,
});
const write = async (file: string, change?: Partial<Image>): Promise<Map<string, Buffer>> => {
  await writeImageArchive(join(folder, file), image(change));
  return new Map((await readTar(readFileSync(join(folder, file)))).map(({ name, content }) => [name, content]));
};
const parse = (content: Buffer | undefined): never => JSON.parse(String(content)) as never;

describe('an image archive', () => {
  it('is the same bytes whatever the order of its entries, the time and the mode of the files they come from', async () => {
    const first = await writeImageArchive(join(folder, 'a.tar'), image());
    writeFileSync(join(folder, 'program'), 'a program', { mode: 0o644 });
    const second = await writeImageArchive(join(folder, 'b.tar'), image({ layers: [[...(image().layers[0] as LayerEntry[])].reverse()] }));
    expect(second).toEqual(first);
    expect(readFileSync(join(folder, 'b.tar')).equals(readFileSync(join(folder, 'a.tar')))).toBe(true);
  });

  it('is the same bytes in a process with another umask, time zone and locale', async () => {
    const { digest } = await writeImageArchive(join(folder, 'a.tar'), image());
    const code = `import { writeImageArchive } from '${new URL('../../src/images/archive.ts', import.meta.url).href}';
      const { digest } = await writeImageArchive(${JSON.stringify(join(folder, 'c.tar'))}, ${JSON.stringify(image())});
      process.stdout.write(digest);`;
    const env = { ...process.env, TZ: 'Pacific/Auckland', LC_ALL: 'tr_TR.UTF-8', SOURCE_DATE_EPOCH: '1' };
    const script = `umask 077; exec "${process.execPath}" --input-type=module-typescript --import tsx -e "$CODE"`;
    expect(execFileSync('sh', ['-c', script], { env: { ...env, CODE: code }, encoding: 'utf8' })).toBe(digest);
    expect(readFileSync(join(folder, 'c.tar')).equals(readFileSync(join(folder, 'a.tar')))).toBe(true);
  });

  it('is an OCI layout in which each digest and each size is true', async () => {
    const files = await write('a.tar');
    expect(parse(files.get('oci-layout'))).toEqual({ imageLayoutVersion: '1.0.0' });
    const get = ({ digest, size }: { digest: string; size: number }): Buffer => {
      const content = files.get(`blobs/${digest.replace(':', '/')}`) ?? Buffer.of();
      expect(`sha256:${createHash('sha256').update(content).digest('hex')} ${content.length}`).toBe(`${digest} ${size}`);
      return content;
    };
    const index: { manifests: { digest: string; size: number; annotations: object; platform: object }[] } = parse(files.get('index.json'));
    const [described] = index.manifests;
    expect(described).toMatchObject({
      platform: { os: 'linux', architecture: 'amd64' },
      annotations: { 'io.containerd.image.name': 'registry.example.com/pause:1', 'org.opencontainers.image.ref.name': '1' },
    });
    const manifest: { config: never; layers: never[] } = parse(get(described as never));
    const config: { rootfs: { diff_ids: string[] }; config: object } = parse(get(manifest.config));
    const diffIds = manifest.layers.map(
      (layer) =>
        `sha256:${createHash('sha256')
          .update(gunzipSync(get(layer)))
          .digest('hex')}`,
    );
    expect(config.rootfs.diff_ids).toEqual(diffIds);
    expect(config.config).toEqual({ Entrypoint: ['/bin/pause'] });
    const [docker]: { Config: string; RepoTags: string[]; Layers: string[] }[] = parse(files.get('manifest.json'));
    expect(docker?.RepoTags).toEqual(['registry.example.com/pause:1']);
    for (const path of [docker?.Config, ...(docker?.Layers ?? [])]) expect(files.has(path ?? '')).toBe(true);
  });

  it('holds a folder before what is in it, with the modes and owners asked for, and no time', async () => {
    const files = await write('a.tar', { layers: [[program(), note, { path: 'tmp', folder: true, mode: 0o1777 }]] });
    const layer = [...files.values()].find((content) => content[0] === 0x1f) ?? Buffer.of();
    const seen = (await readTar(gunzipSync(layer))).map(({ name, mode, uid, mtimeMs }) => `${name} ${mode.toString(8)} ${uid} ${mtimeMs}`);
    expect(seen).toEqual([
      'etc 755 0 0',
      'etc/note 644 65532 0',
      'tmp 1777 0 0',
      'usr 755 0 0',
      'usr/bin 755 0 0',
      'usr/bin/pause 755 0 0',
    ]);
  });

  it.each<{ name: string; change: Partial<Image>; says: RegExp }>([
    { name: 'a setuid file', change: { layers: [[{ path: 'su', content: '', mode: 0o4755 }]] }, says: /setuid/ },
    { name: 'a path that climbs', change: { layers: [[{ path: 'a/../../b', content: '' }]] }, says: /relative and plain/ },
    { name: 'an absolute path', change: { layers: [[{ path: '/a', content: '' }]] }, says: /relative and plain/ },
    { name: 'a path that comes twice', change: { layers: [[note, note]] }, says: /two entries/ },
    { name: 'a name without a tag', change: { name: 'registry.example.com:5000/pause' }, says: /named with its tag/ },
    { name: 'a file that is not there', change: { layers: [[{ path: 'a', source: '/nowhere/a' }]] }, says: /ENOENT/ },
  ])('refuses $name, and leaves nothing behind', async ({ change, says }) => {
    const target = mkdtempSync(join(folder, 'refused-'));
    await expect(writeImageArchive(join(target, 'a.tar'), image(change))).rejects.toThrow(says);
    expect(execFileSync('ls', ['-A', target], { encoding: 'utf8' })).toBe('');
  });
});
