// Fills dist/vendor: what cannot be bundled (see build.mjs), copied from node_modules and held against the digests in
// vendor-manifest.json. Releases carry it; main does not, and it is ignored by git.
//
//     node scripts/vendor.mjs [folder] [manifest]   copy into a folder, dist/vendor by default
//     node scripts/vendor.mjs --update              write the manifest anew, from packages that npm has just verified
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderLicenses } from './licenses.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const MANIFEST = join(ROOT, 'scripts', 'vendor-manifest.json');
const PACKAGES = join(ROOT, 'node_modules');

/** What of each package is needed at run time; of native libraries, only those of linux-x64. */
const NEEDED = {
  'onnxruntime-node':
    /^(package\.json|dist\/.*\.js|bin\/napi-v\d+\/linux\/x64\/(libonnxruntime\.so\.1|onnxruntime_binding\.node))$/,
  'onnxruntime-common': /^(package\.json|dist\/cjs\/.*\.(js|json))$/,
  highs: /^(package\.json|LICENSE|build\/highs\.(js|wasm))$/,
};

const [target = join(ROOT, 'dist', 'vendor'), manifest = MANIFEST] = process.argv.slice(2);
if (target === '--update') updateManifest();
else console.log(`${target}: ${vendor(JSON.parse(readFileSync(manifest, 'utf8')), resolve(target))} bytes`);

/**
 * Copies what the manifest names into a folder, which is emptied first. Returns how many bytes that were.
 *
 * @throws Error if another version is installed, or a file is not the one of the manifest
 */
function vendor({ packages }, folder) {
  rmSync(folder, { recursive: true, force: true });
  const sizes = Object.entries(packages).flatMap(([name, { version, files }]) => {
    assertVersion(name, version);
    return Object.entries(files).map(([path, sha256]) => copyChecked(name, path, sha256, folder));
  });
  writeFileSync(join(folder, 'licenses.txt'), renderLicenses(Object.keys(packages)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function copyChecked(name, path, sha256, folder) {
  const content = readFileSync(join(PACKAGES, name, path));
  const found = digest(content);
  if (found !== sha256) throw new Error(`${name}/${path} has the digest ${found}, expected ${sha256}`);
  const copy = join(folder, 'node_modules', name, path);
  mkdirSync(dirname(copy), { recursive: true });
  writeFileSync(copy, content);
  return content.length;
}

function assertVersion(name, version) {
  const installed = JSON.parse(readFileSync(join(PACKAGES, name, 'package.json'), 'utf8')).version;
  if (installed !== version) throw new Error(`${name} ${installed} is installed, the manifest has ${version}`);
}

function updateManifest() {
  const packages = Object.entries(NEEDED).map(([name, needed]) => {
    const folder = join(PACKAGES, name);
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const paths = filesBelow(folder).filter((path) => needed.test(path));
    return [
      name,
      { version, files: Object.fromEntries(paths.map((path) => [path, digest(readFileSync(join(folder, path)))])) },
    ];
  });
  writeFileSync(MANIFEST, `${JSON.stringify({ packages: Object.fromEntries(packages) }, undefined, 2)}\n`);
}

/** Paths with slashes, sorted, without packages inside the package. */
function filesBelow(folder, root = folder) {
  return readdirSync(folder)
    .filter((name) => name !== 'node_modules')
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? filesBelow(path, root) : [relative(root, path).split(sep).join('/')];
    });
}

function digest(content) {
  return createHash('sha256').update(content).digest('hex');
}
