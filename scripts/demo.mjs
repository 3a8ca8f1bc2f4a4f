// Runs bitgate on the embedded example, from a bare clone if need be: installs and builds what is missing first.
// Plain JavaScript without dependencies, because it runs before anything is installed and on whatever Node the machine has.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Every path below is relative to the repository. */
process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));

const CONFIG = join('examples', 'glyphs', 'bitgate.yml');
const BUNDLE = join('dist', 'cli.mjs');
/** What the bundle is made of. */
const SOURCES = ['src', 'scripts', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
/** The Node that the lockfile installs, not the one that runs this script. */
const NODE = resolve('node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** Errors only: npm warns about machines and settings that do no harm here (CONTRIBUTING.md). */
const INSTALL = ['ci', '--loglevel=error', '--no-audit', '--no-fund'];

process.exitCode = runDemo();

function runDemo() {
  if (!isInstalled()) step('installing packages (npm ci)', () => npm(INSTALL));
  if (!isBuilt()) step('building dist/', () => run(NODE, ['scripts/build.mjs']));
  console.log(`bitgate run ${CONFIG}\n`);
  return exitCodeOf(spawnSync(NODE, [BUNDLE, 'run', CONFIG], { stdio: 'inherit' }));
}

/** Whether every package of the lockfile is there in its version; those for other platforms may be absent. */
function isInstalled() {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const wanted = Object.entries(packages).filter(([path, { optional }]) => path !== '' && !optional);
  return existsSync(NODE) && wanted.every(([path, { version }]) => installedVersion(path) === version);
}

function installedVersion(path) {
  const manifest = join(path, 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined;
}

/** Whether the bundle is there and no older than anything it is made of. */
function isBuilt() {
  return existsSync(BUNDLE) && Math.max(...SOURCES.map(newestChange)) <= statSync(BUNDLE).mtimeMs;
}

/** The latest modification below a path, in milliseconds. */
function newestChange(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestChange(join(path, name))), 0);
}

function step(title, work) {
  const start = Date.now();
  console.log(`${title} …`);
  work();
  console.log(`done in ${((Date.now() - start) / 1000).toFixed(0)} s\n`);
}

/** The npm that started this script, or the one on the path; on Windows that is a script, which only a shell starts. */
function npm(args) {
  const started = process.env.npm_execpath;
  if (started?.endsWith('npm-cli.js')) run(process.execPath, [started, ...args]);
  else run('npm', args, { shell: process.platform === 'win32' });
}

function run(command, args, options = {}) {
  const code = exitCodeOf(spawnSync(command, args, { stdio: 'inherit', ...options }));
  if (code !== 0) process.exit(code);
}

/** A command ended by a signal, or not started at all, has no exit status: that is a fault, not a failed gate. */
function exitCodeOf({ status, error }) {
  if (error !== undefined) console.error(`cannot start: ${error.message}`);
  return status ?? 3;
}
