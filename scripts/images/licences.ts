import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import type { Software } from './software.ts';

/** Software that is linked or bundled into a program, and where its files lie on this machine. */
export interface Bundled extends Software {
  readonly dir: string;
}

/** The npm packages of a bundle, by name. Paths of the metafile are relative to `root`. */
export function bundledPackages(root: string, { inputs }: Pick<Metafile, 'inputs'>): readonly Bundled[] {
  const dirs = new Set(Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []));
  return [...dirs].sort().map((path) => {
    const dir = join(root, path);
    const { name, version, license } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Record<string, string>;
    const purl = `pkg:npm/${(name ?? '').replace('@', '%40')}@${version}`;
    return { dir, name: name ?? '', version: version ?? '', purl, ...(typeof license === 'string' ? { licence: license } : {}) };
  });
}

/** The licences and notices of all, one below the other. What has no such file is said to have none. */
export function licenceText(bundled: readonly Bundled[]): string {
  const parts = bundled.map(({ name, version, licence, dir }) => {
    const files = readdirSync(dir).filter(
      (file) => /^(?:un)?(?:licen[cs]e|copying|notice|patents)/i.test(file) && !/\.(?:js|ts|go)$/.test(file),
    );
    const texts = files.sort().map((file) => readFileSync(join(dir, file), 'utf8').trimEnd());
    const none = `(its package has no file with a licence; it says: ${licence ?? 'nothing'})`;
    return `${'='.repeat(80)}\n${name} ${version}\n${'='.repeat(80)}\n${texts.length === 0 ? none : texts.join('\n\n')}\n`;
  });
  return parts.join('\n');
}
