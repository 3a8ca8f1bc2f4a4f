// Builds dist/: the programs and the packages they use in a few files, so that the action starts without an install.
// The same sources give the same bytes, which lets CI compare dist/ with a fresh build.
//
// onnxruntime-node and highs are not bundled: the first is a native library that must stay where its package put it, the
// second a .wasm file that ncc re-encodes as text. Both are required at run time, from dist/vendor (scripts/vendor.mjs)
// or from the node_modules beside dist/.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ncc from '@vercel/ncc';
import { bundledPackages, renderLicenses } from './licenses.mjs';

const EXTERNALS = ['onnxruntime-node', 'highs'];

/** What is loaded together is one bundle; the packages of the cache are large, and few runs need them. */
const BUNDLES = {
  'bitgate.mjs': { entry: 'src/entry/program.js' },
  'highs-worker.mjs': { entry: 'src/solver/highs-worker.js' },
  'post.mjs': { entry: 'src/entry/post.js' },
  'probe.mjs': { entry: 'src/entry/probe.js' },
  // Nearly all of it is other people's code, 3.5 MB with its comments.
  'actions-cache-process.mjs': { entry: 'src/entry/actions-cache-process.js', minify: true },
};

/** The files that are run: a line each that starts a program of bitgate.mjs. */
const STARTERS = { 'cli.mjs': 'bin.js', 'main.mjs': 'main.js' };

/** JavaScript that is generated, not compiled. */
const COPIED = ['src/wire/onnx_pb.js'];

/** ncc names modules after their path from the working directory, so it has to be the same everywhere. */
process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));

compile();
makeFolder();
const packages = new Set();
for (const [name, settings] of Object.entries(BUNDLES)) {
  for (const found of await bundle(name, settings)) packages.add(found);
}
for (const [name, source] of Object.entries(STARTERS)) writeStarter(name, source);
writeFileSync('dist/licenses.txt', renderLicenses([...packages].sort()));

function compile() {
  rmSync('build', { recursive: true, force: true });
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  });
  for (const path of COPIED) copyFileSync(path, `build/${path}`);
}

/** Old bundles go; dist/vendor stays, it is made by another script and large. */
function makeFolder() {
  mkdirSync('dist', { recursive: true });
  for (const name of readdirSync('dist')) if (name !== 'vendor') rmSync(`dist/${name}`, { recursive: true });
}

/** Writes one bundle; returns the names of the packages in it. */
async function bundle(name, { entry, minify = false }) {
  const { code, assets } = await ncc(resolve('build', entry), {
    cache: false,
    externals: EXTERNALS,
    license: 'licenses.txt',
    minify,
    quiet: true,
  });
  const { 'licenses.txt': licenses, 'package.json': _type, ...others } = assets;
  if (Object.keys(others).length > 0) {
    throw new Error(`${name} needs files beside it that are not shipped: ${Object.keys(others).join(', ')}`);
  }
  writeFileSync(`dist/${name}`, code);
  console.log(`dist/${name}: ${Buffer.byteLength(code)} bytes`);
  return bundledPackages(String(licenses?.source ?? ''));
}

function writeStarter(name, source) {
  const code = readFileSync(`build/src/entry/${source}`, 'utf8').replace("'./program.js'", "'./bitgate.mjs'");
  if (!code.includes("'./bitgate.mjs'")) throw new Error(`${source} does not import ./program.ts`);
  writeFileSync(`dist/${name}`, code);
}
