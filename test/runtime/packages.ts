/** Folders that look like onnxruntime-node, for tests of where it is found. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

const folders: string[] = [];

// Some hold a whole release.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder, which is gone when the tests of the file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bitgate-test-'));
  folders.push(folder);
  return folder;
}

export type FakePackage = {
  readonly name?: string;
  readonly version?: string;
  /** `<platform>/<arch>` of the native library; this machine's when absent. */
  readonly machine?: string;
  /** What the package exports, as source. */
  readonly exports?: string;
};

/** The files of a package by their paths in it; the native library is empty. */
export function filesOfPackage({
  name = 'onnxruntime-node',
  version = '9.9.9',
  machine = `${process.platform}/${process.arch}`,
  exports = '{}',
}: FakePackage = {}): Readonly<Record<string, string>> {
  return {
    'package.json': JSON.stringify({ name, version, main: 'dist/index.js', binary: { napi_versions: [6] } }),
    'dist/index.js': `module.exports = ${exports};\n`,
    [`bin/napi-v6/${machine}/onnxruntime_binding.node`]: '',
  };
}

/** Writes files below a folder, which is returned. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}
