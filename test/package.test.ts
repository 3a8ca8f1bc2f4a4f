import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(`${ROOT}/${path}`, 'utf8');

type LockedPackage = {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
};

const manifest = JSON.parse(read('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};
const lock = JSON.parse(read('package-lock.json')) as {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');

/** Licences that ask for no more than that their text is kept. */
const PERMISSIVE = new Set('MIT ISC 0BSD BSD-2-Clause BSD-3-Clause Apache-2.0 BlueOak-1.0.0 CC0-1.0'.split(' '));

/** An SPDX expression of one level: of alternatives one has to do, of parts each. */
function isPermissive(license: string): boolean {
  const alternatives = license.replace(/[()]/g, '').split(' OR ');
  return alternatives.some((parts) => parts.split(' AND ').every((part) => PERMISSIVE.has(part)));
}

describe('package.json', () => {
  it('names exact versions', () => {
    const versions = { ...manifest.dependencies, ...manifest.devDependencies };
    expect(Object.entries(versions).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('depends on packages with permissive licences only', () => {
    const shipped = locked.filter(([path, { dev }]) => dev !== true && existsSync(`${ROOT}/${path}`));
    expect(shipped.length).toBeGreaterThanOrEqual(Object.keys(manifest.dependencies).length);
    const licenses = shipped.map(([path]) => [path, String(JSON.parse(read(`${path}/package.json`)).license)] as const);
    expect(licenses.filter(([, license]) => !isPermissive(license))).toEqual([]);
  });

  it.each([
    ['MIT', true],
    ['(Apache-2.0 AND BSD-3-Clause)', true],
    ['(GPL-3.0-only OR MIT)', true],
    ['GPL-3.0-only', false],
    ['(MIT AND LGPL-3.0-only)', false],
    ['undefined', false],
  ])('counts the licence %s as permissive: %s', (license, expected) => {
    expect(isPermissive(license)).toBe(expected);
  });
});

describe('package-lock.json', () => {
  it('has a digest and no address for every package', () => {
    expect(lock.lockfileVersion).toBe(3);
    expect(locked.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(locked.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([]);
  });

  it('has the versions that package.json names', () => {
    const versions = { ...manifest.dependencies, ...manifest.devDependencies };
    const found = Object.keys(versions).map((name) => [name, lock.packages[`node_modules/${name}`]?.version]);
    expect(Object.fromEntries(found)).toEqual(versions);
  });
});

describe('repository', () => {
  it.each([
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'LICENSE',
    'action.yml',
    'docs/formulation.md',
    'docs/glossary.md',
    'schemas/config.v1.schema.json',
    'examples/glyphs/bitgate.yml',
  ])('has %s', (path) => {
    expect(statSync(`${ROOT}/${path}`).size).toBeGreaterThan(0);
  });

  it('is licensed under Apache-2.0, word for word', () => {
    expect(JSON.parse(read('package.json')).license).toBe('Apache-2.0');
    expect(read('LICENSE')).toMatch(/^ +Apache License\n +Version 2\.0, January 2004\n/);
    expect(read('LICENSE')).toContain('END OF TERMS AND CONDITIONS');
  });

  it('runs in CI what the README says', () => {
    expect(read('README.md')).toContain('npm cit');
    expect(read('README.md')).toContain('npm run demo');
    expect(read('.ci/run').trimEnd().split('\n').at(-1)).toBe('npm cit');
    expect(statSync(`${ROOT}/.ci/run`).mode & 0o111).not.toBe(0);
  });

  it('blocks the installer that downloads from outside the registry, for npm 10 and for npm 11', () => {
    expect(JSON.parse(read('package.json')).allowScripts).toMatchObject({ node: true, 'onnxruntime-node': false });
    expect(read('.npmrc')).toMatch(/^onnxruntime-node-install=skip$/m);
  });
});
