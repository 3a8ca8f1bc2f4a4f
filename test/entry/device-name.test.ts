import { chmodSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { nameDevice } from '../../src/entry/device-name.ts';
import { temporaryFolder, writeFiles } from '../runtime/packages.ts';

const { PATH } = process.env;
afterEach(() => {
  process.env.PATH = PATH;
});

/** A driver's tool that does this. */
function install(script: string): void {
  const folder = writeFiles(temporaryFolder(), { 'nvidia-smi': `#!/bin/sh\n${script}\n` });
  chmodSync(join(folder, 'nvidia-smi'), 0o755);
  process.env.PATH = `${folder}${delimiter}${PATH}`;
}

describe.skipIf(process.platform === 'win32')('nameDevice', () => {
  it('nameDevice: the first card, as its driver calls it', async () => {
    install('test "$*" = "--query-gpu=name --format=csv,noheader" && printf "NVIDIA H100 80GB HBM3\\nother\\n"');
    expect(await nameDevice('cuda')).toBe('NVIDIA H100 80GB HBM3');
    expect(await nameDevice('tensorrt')).toBe('NVIDIA H100 80GB HBM3');
  });

  it.each(['exit 9', 'printf "\\n"'])('nameDevice: undefined when the driver says nothing (%s)', async (script) => {
    install(script);
    expect(await nameDevice('cuda')).toBeUndefined();
  });

  it('nameDevice: undefined without a driver, and for devices that are no such card', async () => {
    install('echo never');
    for (const device of ['cpu', 'webgpu', 'coreml', 'dml'] as const) expect(await nameDevice(device)).toBeUndefined();
    process.env.PATH = temporaryFolder();
    expect(await nameDevice('cuda')).toBeUndefined();
  });
});
