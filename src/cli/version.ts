import { readFileSync } from 'node:fs';

/** Version of this product; set by the bundler, read from package.json when run from source. */
declare const __HOURGLASS_VERSION__: string | undefined;

export const productVersion: string = typeof __HOURGLASS_VERSION__ === 'string' ? __HOURGLASS_VERSION__ : readSourceVersion();

function readSourceVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
