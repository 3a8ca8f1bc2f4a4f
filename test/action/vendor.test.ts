import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../runtime/packages.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const MANIFEST = join(ROOT, 'scripts/vendor-manifest.json');

type Manifest = {
  readonly packages: Record<string, { readonly version: string; readonly files: Record<string, string> }>;
};

const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8')) as Manifest;

function vendor(folder: string, manifestPath = MANIFEST) {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/vendor.mjs', folder, manifestPath], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { status, stderr };
}

/** The manifest with one change, as a file. */
function changed(change: (manifest: Manifest) => void): string {
  const copy = structuredClone(manifest);
  change(copy);
  const path = join(temporaryFolder(), 'manifest.json');
  writeFileSync(path, JSON.stringify(copy));
  return path;
}

describe('scripts/vendor.mjs', () => {
  it('vendor: the copies have the digests of the manifest, and their licences with them', () => {
    const folder = temporaryFolder();
    expect(vendor(folder)).toEqual({ status: 0, stderr: '' });
    for (const [name, { files }] of Object.entries(manifest.packages)) {
      for (const [path, sha256] of Object.entries(files)) {
        const copy = readFileSync(join(folder, 'node_modules', name, path));
        expect(createHash('sha256').update(copy).digest('hex'), path).toBe(sha256);
      }
    }
    const licenses = readFileSync(join(folder, 'licenses.txt'), 'utf8');
    for (const [name, { version }] of Object.entries(manifest.packages)) {
      expect(licenses).toContain(`${name} ${version}, MIT`);
    }
  });

  it('vendor: a file that is not the one of the manifest is refused by its name', () => {
    const other = changed(({ packages }) => {
      packages.highs!.files['build/highs.wasm'] = '0'.repeat(64);
    });
    const { status, stderr } = vendor(temporaryFolder(), other);
    expect(status).toBe(1);
    expect(stderr).toMatch(/highs\/build\/highs\.wasm has the digest [0-9a-f]{64}, expected 0{64}/);
  });

  it('vendor: another version is refused', () => {
    const other = changed(({ packages }) => Object.assign(packages.highs!, { version: '1.0.0' }));
    const { status, stderr } = vendor(temporaryFolder(), other);
    expect(status).toBe(1);
    expect(stderr).toMatch(/highs [\d.]+ is installed, the manifest has 1\.0\.0/);
  });
});
