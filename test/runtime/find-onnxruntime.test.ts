import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { findOnnxruntime, toolCacheFolder } from '../../src/runtime/find-onnxruntime.ts';
import { PINNED_PACKAGES } from '../../src/runtime/pinned-packages.ts';
import { filesOfPackage, temporaryFolder, writeFiles } from './packages.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const INSTALLED = join(ROOT, 'node_modules/onnxruntime-node');
const NOTHING = join(ROOT, 'no-such-folder');

it('findOnnxruntime: in development it is the installed package, and the places before it are told of', () => {
  const { found, missed } = findOnnxruntime({ toolCache: NOTHING, vendorFolder: NOTHING });
  expect(found).toEqual({ place: 'node_modules', folder: INSTALLED, version: '1.30.0' });
  expect(missed).toEqual([
    { place: 'tool cache', folder: toolCacheFolder(NOTHING), reason: 'no onnxruntime-node there' },
    { place: 'vendored', folder: NOTHING, reason: 'no onnxruntime-node there' },
  ]);
});

it('findOnnxruntime: the tool cache comes before the vendored folder, and that before node_modules', () => {
  const toolCache = temporaryFolder();
  const vendorFolder = writeFiles(temporaryFolder(), filesOfPackage({ version: '2.0.0' }));
  expect(findOnnxruntime({ toolCache, vendorFolder }).found).toEqual({
    place: 'vendored',
    folder: vendorFolder,
    version: '2.0.0',
  });
  const cached = join(toolCacheFolder(toolCache), 'node_modules/onnxruntime-node');
  writeFiles(cached, filesOfPackage({ version: '3.0.0' }));
  expect(findOnnxruntime({ toolCache, vendorFolder }).found).toEqual({
    place: 'tool cache',
    folder: cached,
    version: '3.0.0',
  });
});

it('findOnnxruntime: a path that is given may be the package or hold it, and is the only place', () => {
  const folder = writeFiles(temporaryFolder(), filesOfPackage());
  expect(findOnnxruntime({ runtimePath: folder }).found).toMatchObject({ place: 'runtime-path', folder });
  const { found } = findOnnxruntime({ runtimePath: ROOT });
  expect(found).toEqual({ place: 'runtime-path', folder: INSTALLED, version: '1.30.0' });
  const runtimePath = temporaryFolder();
  expect(findOnnxruntime({ runtimePath })).toEqual({
    missed: [{ place: 'runtime-path', folder: runtimePath, reason: 'no onnxruntime-node there' }],
  });
});

it.each([
  ['is for another machine', filesOfPackage({ machine: 'aix/ppc' }), /9\.9\.9 has no library for \w+-\w+$/],
  ['is another package', filesOfPackage({ name: 'onnxruntime-web' }), /^no onnxruntime-node there$/],
  ['has no readable manifest', { 'package.json': '{' }, /^no onnxruntime-node there$/],
])('findOnnxruntime: a package that %s is passed over, with the reason', (_, files, reason) => {
  const vendorFolder = writeFiles(temporaryFolder(), files);
  const { found, missed } = findOnnxruntime({ vendorFolder });
  expect(found?.place).toBe('node_modules');
  expect(missed).toEqual([{ place: 'vendored', folder: vendorFolder, reason: expect.stringMatching(reason) }]);
});

it('PINNED_PACKAGES: versions and digests are those of package-lock.json', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  for (const { name, version, integrity } of PINNED_PACKAGES) {
    expect(packages[`node_modules/${name}`]).toMatchObject({ version, integrity });
  }
});
