/** scripts/demo.mjs in a folder where npm, the build and the bundle are stubs that say that they ran. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const DEMO = resolve(import.meta.dirname, '../../scripts/demo.mjs');
const NOW = Date.now() / 1000;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bitgate-demo-'));
  mkdirSync(join(folder, 'scripts'));
  copyFileSync(DEMO, join(folder, 'scripts/demo.mjs'));
  put('src/index.ts', '');
  for (const name of ['tsconfig.json', 'tsconfig.build.json']) put(name, '{}');
  put('package-lock.json', lockfile({ 'node_modules/part': { version: '1.2.3' } }));
  put('node_modules/part/package.json', '{"version":"1.2.3"}');
  mkdirSync(join(folder, 'node_modules/node/bin'), { recursive: true });
  symlinkSync(process.execPath, join(folder, 'node_modules/node/bin/node'));
  put('scripts/build.mjs', stub('build', 0));
  put('npm/npm-cli.js', stub('npm', 0));
  put('dist/cli.mjs', stub('bitgate', 0));
  for (const path of ['scripts', 'scripts/demo.mjs', 'scripts/build.mjs', 'src/index.ts']) setAge(path, 60);
  for (const path of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json']) setAge(path, 60);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, content: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

function setAge(path: string, seconds: number): void {
  utimesSync(join(folder, path), NOW - seconds, NOW - seconds);
}

function lockfile(packages: Readonly<Record<string, object>>): string {
  return JSON.stringify({ packages: { '': {}, ...packages } });
}

/** A script that prints its name and arguments and exits. */
function stub(name: string, exitCode: number): string {
  return `console.log('ran', '${name}', ...process.argv.slice(2)); process.exitCode = ${exitCode};`;
}

function runDemo() {
  const { stdout, status } = spawnSync(process.execPath, [join(folder, 'scripts/demo.mjs')], {
    cwd: tmpdir(),
    env: { npm_execpath: join(folder, 'npm/npm-cli.js') },
    encoding: 'utf8',
  });
  return { status, ran: stdout.split('\n').filter((line) => line.startsWith('ran ')) };
}

const INSTALLED = 'ran npm ci --loglevel=error --no-audit --no-fund';
const BUILT = 'ran build';
const RAN = `ran bitgate run ${join('examples', 'glyphs', 'bitgate.yml')}`;

describe.skipIf(process.platform === 'win32')('scripts/demo.mjs', () => {
  it('runs the example at once when everything is there', () => {
    expect(runDemo()).toEqual({ status: 0, ran: [RAN] });
  });

  it.each([1, 2])('passes on exit code %i', (code) => {
    put('dist/cli.mjs', stub('bitgate', code));
    expect(runDemo()).toEqual({ status: code, ran: [RAN] });
  });

  it('installs when a package is missing', () => {
    rmSync(join(folder, 'node_modules/part'), { recursive: true });
    expect(runDemo()).toEqual({ status: 0, ran: [INSTALLED, RAN] });
  });

  it('installs when a package has another version than the lockfile', () => {
    put('node_modules/part/package.json', '{"version":"1.2.2"}');
    expect(runDemo()).toEqual({ status: 0, ran: [INSTALLED, RAN] });
  });

  it('does not miss a package that is for other platforms', () => {
    put('package-lock.json', lockfile({ 'node_modules/elsewhere': { version: '1.0.0', optional: true } }));
    setAge('package-lock.json', 60);
    expect(runDemo()).toEqual({ status: 0, ran: [RAN] });
  });

  it('builds when a source is newer than the bundle', () => {
    setAge('dist/cli.mjs', 120);
    expect(runDemo()).toEqual({ status: 0, ran: [BUILT, RAN] });
  });

  it('builds when there is no bundle', () => {
    put('scripts/build.mjs', `${stub('build', 0)} import('node:fs').then(({ writeFileSync }) => ${writeBundle()});`);
    rmSync(join(folder, 'dist/cli.mjs'));
    expect(runDemo()).toEqual({ status: 0, ran: [BUILT, RAN] });
  });

  it('stops with the exit code of an install or a build that failed', () => {
    setAge('dist/cli.mjs', 120);
    put('scripts/build.mjs', stub('build', 4));
    expect(runDemo()).toEqual({ status: 4, ran: [BUILT] });
    rmSync(join(folder, 'node_modules/part'), { recursive: true });
    put('npm/npm-cli.js', stub('npm', 5));
    expect(runDemo()).toEqual({ status: 5, ran: [INSTALLED] });
  });
});

function writeBundle(): string {
  return `writeFileSync('dist/cli.mjs', ${JSON.stringify(stub('bitgate', 0))})`;
}
