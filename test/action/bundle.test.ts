/** The release layout in a folder without node_modules, as a runner has it that cannot reach any network. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, writeFiles } from '../runtime/packages.ts';
import { CONFIG, ROOT, workspaceWith } from './glyphs.ts';
import { runJob } from './runner.ts';

const MEGABYTE = 10 ** 6;
const BUNDLES = readdirSync(join(ROOT, 'dist')).filter((name) => name !== 'vendor');

/** Every way out of a Node process ends in one of these. */
const NO_NETWORK = `
const net = require('node:net');
const dgram = require('node:dgram');
const dns = require('node:dns');
const refuse = () => { process.stderr.write('TRIED THE NETWORK\\n'); throw new Error('no network'); };
net.Socket.prototype.connect = refuse;
dgram.Socket.prototype.send = refuse;
dns.lookup = dns.promises.lookup = refuse;
`;

function sizeBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => statSync(join(folder, path)))
    .reduce((sum, status) => sum + (status.isFile() ? status.size : 0), 0);
}

/** Whether the sources import a package in a way that a bundler follows. */
function isBundled(name: string): boolean {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.[tj]s$/.test(path),
  );
  const imports = new RegExp(`^(import|export) (?!type )[^;]*from ['"]${name}(/[^'"]*)?['"]`, 'm');
  return sources.some((path) => imports.test(readFileSync(join(ROOT, 'src', path), 'utf8')));
}

/** action.yml and dist/ with its vendor folder, and nothing else. */
function releaseLayout(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'dist'));
  for (const name of ['action.yml', ...BUNDLES.map((name) => `dist/${name}`)]) {
    copyFileSync(join(ROOT, name), join(folder, name));
  }
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'scripts/vendor.mjs'), join(folder, 'dist/vendor')],
    {
      encoding: 'utf8',
    },
  );
  expect(status, stderr).toBe(0);
  return folder;
}

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('the release layout', () => {
  let action: string;
  let environment: Readonly<Record<string, string>>;
  beforeAll(() => {
    action = releaseLayout();
    const preload = join(writeFiles(temporaryFolder(), { 'no-network.cjs': NO_NETWORK }), 'no-network.cjs');
    environment = { NODE_OPTIONS: `--require ${preload}` };
  });

  it('release layout: no folder above it has packages', () => {
    for (let folder = action; dirname(folder) !== folder; folder = dirname(folder)) {
      expect(existsSync(join(folder, 'node_modules')), folder).toBe(false);
    }
  });

  it('release layout: the network is really denied', () => {
    const { status, stderr } = spawnSync(process.execPath, ['-e', 'fetch("http://127.0.0.1:8080/")'], {
      env: { ...process.env, ...environment },
      encoding: 'utf8',
    });
    expect({ status, tried: stderr.includes('TRIED THE NETWORK') }).toEqual({ status: 1, tried: true });
  });

  it('release layout: the gate passes the example with the vendored runtime, on a device that it finds by itself', async () => {
    const workspace = workspaceWith(CONFIG.replace('device: cpu\n', ''));
    const { main, post } = await runJob({ action, workspace, environment });
    expect(main.exitCode, main.log).toBe(0);
    expect(main.outputs.verdict).toBe('pass');
    expect(main.log).toContain(`onnxruntime 1.30.0: vendored, ${action}/dist/vendor/node_modules/onnxruntime-node`);
    expect(main.log).toMatch(/\ndevice: \w+.* \(auto\)/);
    expect(main.log + post.log).not.toContain('TRIED THE NETWORK');
    expect(post.exitCode).toBe(0);
  });

  it('release layout: the gate fails the example where it should', async () => {
    const workspace = workspaceWith(CONFIG.replace('min: 0.9', 'min: 1').replace('bits: 4.0', 'bits: 3.0'));
    const { main } = await runJob({ action, workspace, environment });
    expect({ exitCode: main.exitCode, verdict: main.outputs.verdict }, main.log).toEqual({
      exitCode: 1,
      verdict: 'fail',
    });
  });

  it('release layout: HiGHS solves from its vendored copy', () => {
    const script = `
      import { createRequire } from 'node:module';
      const load = createRequire(import.meta.url)('./vendor/node_modules/highs/build/highs.js');
      const highs = await load();
      const { ObjectiveValue } = highs.solve('Maximize\\n obj: x + 2 y\\nSubject To\\n c: x + y <= 4\\nBounds\\n y <= 3\\nGeneral\\n x y\\nEnd');
      console.log(ObjectiveValue);`;
    writeFiles(join(action, 'dist'), { 'try-highs.mjs': script });
    const { stdout, stderr } = spawnSync(process.execPath, [join(action, 'dist/try-highs.mjs')], { encoding: 'utf8' });
    expect(stdout.trim(), stderr).toBe('7');
  });

  it('release layout: without its vendor folder, the places that were looked at are named, and how to go on', async () => {
    const bare = temporaryFolder();
    mkdirSync(join(bare, 'dist'));
    for (const name of ['action.yml', ...BUNDLES.map((name) => `dist/${name}`)]) {
      copyFileSync(join(ROOT, name), join(bare, name));
    }
    const { main } = await runJob({ action: bare, workspace: workspaceWith(), environment });
    expect(main.exitCode).toBe(2);
    expect(main.log).toMatch(
      /onnxruntime-node is not where it could be:\n {2}tool cache, .*\/tools\/onnxruntime-node\/1\.30\.0\/x64: no onnxruntime-node there\n {2}vendored, .*\/dist\/vendor: no onnxruntime-node there\n {2}node_modules, .*\/dist: no onnxruntime-node there, nor in a folder above\n {2}fix: use a release/,
    );
  });

  it('release layout: the whole tree has at most 60 MB', () => {
    const { stdout } = spawnSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' });
    const tracked = stdout.split('\0').filter((path) => path !== '' && !path.startsWith('dist/'));
    expect(tracked.length).toBeGreaterThan(100);
    const files = tracked.filter((path) => existsSync(join(ROOT, path)));
    const sources = files.reduce((sum, path) => sum + statSync(join(ROOT, path)).size, 0);
    expect(sources + sizeBelow(join(action, 'dist'))).toBeLessThan(60 * MEGABYTE);
  });
});

describe('dist/', () => {
  it('dist: has at most 6 MB without the vendor folder', () => {
    const size = BUNDLES.reduce((sum, name) => sum + statSync(join(ROOT, 'dist', name)).size, 0);
    expect(size).toBeLessThan(6 * MEGABYTE);
  });

  it('dist: has the programs of action.yml and package.json, and nothing unknown', () => {
    expect(BUNDLES.sort()).toEqual([
      'actions-cache-process.mjs',
      'bitgate.mjs',
      'cli.mjs',
      'highs-worker.mjs',
      'licenses.txt',
      'main.mjs',
      'post.mjs',
      'probe.mjs',
    ]);
  });

  it('dist: nothing in it names the machine that built it', () => {
    for (const name of BUNDLES) expect(readFileSync(join(ROOT, 'dist', name), 'utf8')).not.toContain(ROOT);
  });

  it('dist: every package that is bundled is there with its licence and the text of it', () => {
    const licenses = readFileSync(join(ROOT, 'dist/licenses.txt'), 'utf8');
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const bundled = Object.keys(dependencies).filter((name) => isBundled(name));
    expect(bundled).toContain('@bufbuild/protobuf');
    const titles = [...licenses.matchAll(/^(\S+) ([\d.]+), .+$/gm)].map(([, name, version]) => `${name} ${version}`);
    expect(titles).toEqual(expect.arrayContaining(bundled.map((name) => `${name} ${dependencies[name]}`)));
    const sections = licenses.split(/^={80}\n.*\n={80}$/m).slice(1);
    expect(sections.length).toBeGreaterThan(bundled.length);
    for (const section of sections) expect(section.trim().length).toBeGreaterThan(200);
  });
});
