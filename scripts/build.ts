import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };

/** Packages in CommonJS ask for Node's own modules by `require`. */
const forNode: BuildOptions = {
  platform: 'node',
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
};

const shared: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  legalComments: 'none',
  format: 'esm',
  target: 'node24',
  metafile: true,
  logLevel: 'silent',
  define: { __HOURGLASS_VERSION__: JSON.stringify(version) },
};

/** What makes the CRD asks zod for parts that nothing else needs; in one build with the rest they would be loaded with it. */
const crdApart: Plugin = {
  name: 'crd-apart',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/performer-crd-yaml\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './crd.js', external: true } : undefined,
    );
  },
};

/** Builds the CLI into `outdir`: `hourglass.js` is what every command loads, everything loaded lazily stands in chunks beside it. */
export async function buildCli(outdir: string): Promise<Metafile> {
  // Chunks carry hashes in their names: those of the last build would stay.
  rmSync(join(outdir, 'chunks'), { recursive: true, force: true });
  await build({ ...shared, ...forNode, entryPoints: { crd: join(root, 'src', 'api', 'crd', 'performer-crd-yaml.ts') }, outdir });
  const { metafile } = await build({
    ...shared,
    ...forNode,
    entryPoints: { hourglass: join(root, 'src', 'cli', 'main.ts') },
    outdir,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    // Only for credentials that need its plug-ins; it stays in node_modules.
    external: ['@kubernetes/client-node'],
    plugins: [crdApart],
  });
  return metafile as Metafile;
}

/** The pure core as one script that sets the global `core`, for engines that know nothing of Node. */
export async function buildCore(): Promise<string> {
  const result = await build({
    ...shared,
    entryPoints: [join(root, 'src', 'reconcile', 'plan', 'plan.ts')],
    write: false,
    format: 'iife',
    globalName: 'core',
    platform: 'neutral',
  });
  return result.outputFiles?.[0]?.text ?? '';
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { outputs } = await buildCli(join(root, 'dist'));
  for (const [path, { bytes }] of Object.entries(outputs)) console.log(`${(bytes / 1024).toFixed(0).padStart(6)} KiB  ${path}`);
}
