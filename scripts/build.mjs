// Builds dist/: each entry point and the packages it uses in one file, so that the action starts without an install.
// The same sources give the same bytes, which lets CI compare dist/ with a fresh build.
//
// onnxruntime-node and highs are not bundled: the first is a native library that must stay where its package put it, the
// second a .wasm file that ncc re-encodes as text. Both are required at run time from the node_modules beside dist/.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ncc from '@vercel/ncc';

const EXTERNALS = ['onnxruntime-node', 'highs'];

const BUNDLES = {
  'cli.mjs': 'build/src/entry/bin.js',
  'main.mjs': 'build/src/entry/main.js',
  'highs-worker.mjs': 'build/src/solver/highs-worker.js',
};

/** JavaScript that is generated, not compiled. */
const COPIED = ['src/wire/onnx_pb.js'];

/** ncc names modules after their path from the working directory, so it has to be the same everywhere. */
process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));

compile();
rmSync('dist', { recursive: true, force: true });
mkdirSync('dist');
for (const [name, entry] of Object.entries(BUNDLES)) await bundle(name, entry);

function compile() {
  rmSync('build', { recursive: true, force: true });
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
    stdio: 'inherit',
  });
  for (const path of COPIED) copyFileSync(path, `build/${path}`);
}

async function bundle(name, entry) {
  const { code, assets } = await ncc(resolve(entry), {
    cache: false,
    externals: EXTERNALS,
    license: 'licenses.txt',
    quiet: true,
  });
  const { 'licenses.txt': licenses, 'package.json': _type, ...others } = assets;
  if (Object.keys(others).length > 0) {
    throw new Error(`${name} needs files beside it that are not shipped: ${Object.keys(others).join(', ')}`);
  }
  writeFileSync(`dist/${name}`, code);
  writeFileSync(`dist/${name}.licenses.txt`, licenses.source);
  console.log(`dist/${name}: ${code.length} characters`);
}
