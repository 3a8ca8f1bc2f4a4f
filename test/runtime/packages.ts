/** Folders that look like onnxruntime-node, for tests of where it is found. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'bitgate-test-'));
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
