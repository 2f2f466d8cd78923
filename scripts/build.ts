import { execFile } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };

/** Packages in CommonJS ask for Node's own modules by `require`. */
const makeRequire = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";
const forNode: BuildOptions = { platform: 'node', banner: { js: makeRequire }, outExtension: { '.js': '.mjs' } };

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
      kind === 'dynamic-import' ? { path: './crd.mjs', external: true } : undefined,
    );
  },
};

/** What libraries load for parts of theirs that nobody here uses: commander for commands that are programs of their own, prom-client to push its figures. */
const unused: Plugin = {
  name: 'unused',
  setup: (bundler) => {
    const leaveOut = (filter: RegExp, library: string): void =>
      bundler.onResolve({ filter }, ({ path, importer }) => (importer.includes(library) ? { path, namespace: 'unused' } : undefined));
    leaveOut(/^node:child_process$/, '/commander/');
    leaveOut(/^\.\/lib\/pushgateway$/, '/prom-client/');
    bundler.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** Node reads every name of a module that is imported, and `WebSocket` of this one loads a second HTTP client: 14 MB. */
const httpAlone: Plugin = {
  name: 'http-alone',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^node:http$/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'got' } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: 'got' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/**
 * Builds the CLI into `outdir`: `core.js` is what every command loads, `hourglass.js` starts it, `core.cache` is V8's code of it, and
 * everything loaded lazily stands in chunks beside it. The first two are CommonJS, which Node starts without its second module loader.
 *
 * @param plugins that change what goes into it
 * @returns the build with `core.js` in it
 */
export async function buildCli(outdir: string, plugins: readonly Plugin[] = []): Promise<Metafile> {
  const crd = await build({
    ...shared,
    ...forNode,
    entryPoints: { crd: join(root, 'src', 'api', 'crd', 'performer-crd-yaml.ts') },
    outdir,
  });
  const { metafile } = await build({
    ...shared,
    ...forNode,
    entryPoints: { core: join(root, 'src', 'cli', 'main.ts') },
    outdir,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    // Only for credentials that need its plug-ins; it stays in node_modules.
    external: ['@kubernetes/client-node'],
    // The one for Node waits at its top for a package that we lack, and what waits there cannot be loaded from CommonJS.
    alias: { 'vega-canvas': join(root, 'node_modules', 'vega-canvas', 'build', 'vega-canvas.browser.js') },
    plugins: [crdApart, unused, httpAlone, ...plugins],
  });
  // Chunks carry hashes in their names: those of the last build would stay.
  const made = new Set(Object.keys(metafile?.outputs ?? {}).map((path) => basename(path)));
  for (const file of readdirSync(join(outdir, 'chunks'))) if (!made.has(file)) rmSync(join(outdir, 'chunks', file));
  const outputs = await mergeStart(outdir, metafile as Metafile);
  const starter = await build({
    ...shared,
    entryPoints: [join(root, 'src', 'cli', 'start.ts')],
    outfile: join(outdir, 'hourglass.js'),
    format: 'cjs',
    platform: 'node',
  });
  chmodSync(join(outdir, 'hourglass.js'), 0o755);
  writeFileSync(join(outdir, 'package.json'), '{ "type": "commonjs" }\n');
  // With a seed of its own for V8's hash tables: the same code is to be the same bytes.
  await promisify(execFile)(process.execPath, ['--hash-seed=1', '-e', makeCache, join(outdir, 'core.js')], { env: {} });
  const entry = onlyOutput(starter.metafile);
  const [core = ''] = Object.keys(outputs);
  const imports: Output['imports'] = [{ path: core, kind: 'import-statement' }];
  return { inputs: { ...crd.metafile?.inputs, ...metafile?.inputs }, outputs: { ...outputs, [entry.path]: { ...entry.output, imports } } };
}

type Output = Metafile['outputs'][string];

function onlyOutput(metafile: Metafile | undefined): { readonly path: string; readonly output: Output } {
  const [made] = Object.entries(metafile?.outputs ?? {});
  if (made === undefined) throw new Error('the build made nothing');
  return { path: made[0], output: made[1] };
}

/** Bundles a program that ships in an image into one file. @returns what it is made of */
export async function buildProgram(entry: string, outfile: string): Promise<Metafile> {
  const { metafile } = await build({ ...shared, ...forNode, entryPoints: [entry], outfile });
  return metafile as Metafile;
}

/** Compiles every function, also those that V8 would leave for their first call. In a process of its own, since V8 takes code from like flags only. */
const makeCache = `
const { readFileSync, writeFileSync } = require('node:fs'), { setFlagsFromString } = require('node:v8'), { Script } = require('node:vm');
const [, file] = process.argv;
setFlagsFromString('--no-lazy');
const script = new Script(require('node:module').wrap(readFileSync(file, 'utf8')), { filename: 'core.js' });
for (const flag of ['--lazy', '--hash-seed=0']) setFlagsFromString(flag);
writeFileSync(file.replace(/js$/, 'cache'), script.createCachedData());`;

/**
 * esbuild makes a chunk for each set of lazy parts that share code: two dozen files at every start, each looked for, read and linked.
 * They go into `core.js`; under their names stay files that export the same from there, for the lazy parts.
 *
 * @returns the outputs as they are now, `core.js` first
 */
async function mergeStart(outdir: string, { outputs }: Metafile): Promise<Metafile['outputs']> {
  const core = Object.keys(outputs).find((path) => path.endsWith('/core.mjs')) ?? '';
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
    stdin: { contents: ["import './core.mjs';", ...reexports].join('\n'), resolveDir: outdir },
    outfile: join(outdir, 'core.js'),
    format: 'cjs',
    platform: 'node',
    // Code that V8 keeps may not say `import()`; Node's `require` loads ES modules as well.
    supported: { 'dynamic-import': false },
    plugins: [lazyStaysOut],
  });
  rmSync(join(outdir, 'core.mjs'));
  for (const { file, names } of chunks) {
    const taken = `const { ${names.map(({ ours }) => ours).join(', ')} } = require('../core.js');`;
    const given = `export { ${names.map(({ own, ours }) => `${ours} as ${own}`).join(', ')} };`;
    writeFileSync(join(outdir, 'chunks', file), `${makeRequire}\n${taken}\n${given}\n`);
  }
  const { path, output } = onlyOutput(metafile);
  const inputs = Object.assign({}, ...[...loaded].map((one) => outputs[one]?.inputs)) as Output['inputs'];
  const rest = Object.entries(outputs).filter(([one]) => !loaded.has(one));
  return { [path]: { ...output, imports: [], exports: [], inputs }, ...Object.fromEntries(rest) };
}

/** What is loaded lazily is beside `core.js` already; what is merged has the `require` of CommonJS. */
const lazyStaysOut: Plugin = {
  name: 'lazy-stays-out',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^\.\// }, ({ kind, path }) => {
      if (kind !== 'dynamic-import' && kind !== 'require-call') return undefined;
      return { path: path === './crd.mjs' ? path : `./chunks/${basename(path)}`, external: true };
    });
    bundler.onLoad({ filter: /\.mjs$/ }, ({ path }) => ({ contents: readFileSync(path, 'utf8').replace(makeRequire, '') }));
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
