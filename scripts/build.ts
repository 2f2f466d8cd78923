import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
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
  setup: (bundler) => {
    bundler.onResolve({ filter: /\/performer-crd-yaml\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './crd.js', external: true } : undefined,
    );
  },
};

/** commander asks for this one only to start commands that are programs of their own, which we have none of; it takes its time to load. */
const noChildProcess: Plugin = {
  name: 'no-child-process',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes('/commander/') ? { path: 'child_process', namespace: 'none' } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/**
 * Builds the CLI into `outdir`: `core.js` is what every command loads, `hourglass.js` starts it, and everything loaded lazily stands in
 * chunks beside it.
 *
 * @returns the build with `core.js` in it
 */
export async function buildCli(outdir: string): Promise<Metafile> {
  await build({ ...shared, ...forNode, entryPoints: { crd: join(root, 'src', 'api', 'crd', 'performer-crd-yaml.ts') }, outdir });
  const { metafile } = await build({
    ...shared,
    ...forNode,
    entryPoints: { core: join(root, 'src', 'cli', 'main.ts') },
    outdir,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    // Only for credentials that need its plug-ins; it stays in node_modules.
    external: ['@kubernetes/client-node'],
    plugins: [crdApart, noChildProcess],
  });
  // Chunks carry hashes in their names: those of the last build would stay.
  const made = new Set(Object.keys(metafile?.outputs ?? {}).map((path) => basename(path)));
  for (const file of readdirSync(join(outdir, 'chunks'))) if (!made.has(file)) rmSync(join(outdir, 'chunks', file));
  const outputs = await mergeStart(outdir, metafile as Metafile);
  const start = "#!/usr/bin/env node\nimport './core.js';\n";
  const entryFile = join(outdir, 'hourglass.js');
  writeFileSync(entryFile, start);
  chmodSync(entryFile, 0o755);
  const [core = ''] = Object.keys(outputs);
  const imports: Output['imports'] = [{ path: core, kind: 'import-statement' }];
  const entry: Output = { bytes: start.length, inputs: {}, imports, exports: [] };
  return { inputs: (metafile as Metafile).inputs, outputs: { ...outputs, [join(dirname(core), 'hourglass.js')]: entry } };
}

type Output = Metafile['outputs'][string];

/**
 * esbuild makes a chunk for each set of lazy parts that share code: two dozen files at every start, each looked for, read and linked.
 * They go into `core.js`; under their names stay files that export the same from there, for the lazy parts.
 *
 * @returns the outputs as they are now, `core.js` first
 */
async function mergeStart(outdir: string, { outputs }: Metafile): Promise<Metafile['outputs']> {
  const core = Object.keys(outputs).find((path) => path.endsWith('/core.js')) ?? '';
  const loaded = new Set([core]);
  for (const path of loaded)
    for (const { path: next, kind } of outputs[path]?.imports ?? []) if (kind === 'import-statement' && next in outputs) loaded.add(next);
  const chunks = [...loaded].slice(1).map((path, index) => ({
    file: basename(path),
    names: (outputs[path]?.exports ?? []).map((own) => ({ own, ours: `c${index}_${own}` })),
  }));
  const reexports = chunks.map(
    ({ file, names }) => `export { ${names.map(({ own, ours }) => `${own} as ${ours}`).join(', ')} } from './chunks/${file}';`,
  );
  const { metafile } = await build({
    ...shared,
    stdin: { contents: ["import './core.js';", ...reexports].join('\n'), resolveDir: outdir },
    outfile: join(outdir, 'core.js'),
    allowOverwrite: true,
    platform: 'node',
    plugins: [lazyStaysOut],
  });
  for (const { file, names } of chunks)
    writeFileSync(
      join(outdir, 'chunks', file),
      `export { ${names.map(({ own, ours }) => `${ours} as ${own}`).join(', ')} } from '../core.js';\n`,
    );
  const [merged] = Object.values(metafile?.outputs ?? {});
  const inputs = Object.assign({}, ...[...loaded].map((path) => outputs[path]?.inputs)) as Output['inputs'];
  const rest = Object.entries(outputs).filter(([path]) => !loaded.has(path));
  return { [core]: { bytes: 0, ...merged, imports: [], exports: [], inputs }, ...Object.fromEntries(rest) };
}

/** What is loaded lazily is beside `core.js` already. */
const lazyStaysOut: Plugin = {
  name: 'lazy-stays-out',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^\.\// }, ({ kind, path }) => {
      if (kind !== 'dynamic-import') return undefined;
      return { path: path === './crd.js' ? path : `./chunks/${basename(path)}`, external: true };
    });
  },
};

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
