import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { createProbe } from '../../src/entry/probe-in-child.ts';
import { findOnnxruntime } from '../../src/runtime/find-onnxruntime.ts';
import { loadOnnxruntime, type Onnxruntime } from '../../src/runtime/onnxruntime.ts';
import { missingLibrary, probeDevice } from '../../src/runtime/probe-device.ts';
import { filesOfPackage, temporaryFolder, writeFiles } from './packages.ts';

const { folder } = findOnnxruntime().found!;
const PROGRAM = pathToFileURL(join(import.meta.dirname, '../../src/entry/probe.ts'));

describe('probeDevice', () => {
  let library: Onnxruntime;
  beforeAll(() => {
    library = loadOnnxruntime(folder);
  });

  it('probeDevice: the CPU works', async () => {
    expect(await probeDevice(library, 'cpu')).toBeGreaterThan(0);
  });

  it('probeDevice: a device that this build has not is an error', async () => {
    const other = process.platform === 'win32' ? 'coreml' : 'dml';
    await expect(probeDevice(library, other)).rejects.toThrow(`[${other}] backend not found`);
  });

  it('probeDevice: a product that is wrong is an error', async () => {
    const session = { run: async () => ({ y: { data: new Float32Array([Number.NaN]) } }), release: async () => {} };
    const fake = { InferenceSession: { create: async () => session }, Tensor: library.Tensor };
    await expect(probeDevice(fake as unknown as Onnxruntime, 'webgpu')).rejects.toThrow(
      'a product of matrices has NaN where 0.001953125 is right',
    );
  });
});

describe('missingLibrary', () => {
  it.runIf(process.platform === 'linux')('missingLibrary: cuda needs a library beside the runtime', () => {
    const fake = writeFiles(temporaryFolder(), filesOfPackage());
    const beside = join(fake, 'bin/napi-v6', process.platform, process.arch);
    expect(missingLibrary(fake, 'cuda')).toBe(`libonnxruntime_providers_cuda.so is not in ${beside}`);
    writeFiles(beside, { 'libonnxruntime_providers_cuda.so': '' });
    expect(missingLibrary(fake, 'cuda')).toBeUndefined();
    expect(missingLibrary(fake, 'webgpu')).toBeUndefined();
  });
});

describe('createProbe', () => {
  it('createProbe: a device is tried in a child process, and timed against the CPU on request', async () => {
    const probe = createProbe(folder, PROGRAM, process.env);
    expect(await probe('cpu', true)).toEqual({
      works: true,
      milliseconds: expect.any(Number),
      cpuMilliseconds: expect.any(Number),
    });
  });

  it('createProbe: a device that does not work has a reason of one line', async () => {
    const other = process.platform === 'win32' ? 'coreml' : 'dml';
    expect(await createProbe(folder, PROGRAM, process.env)(other, false)).toEqual({
      works: false,
      reason: `no available backend found. ERR: [${other}] backend not found.`,
    });
  });

  const probeWith = (program: string, environment: NodeJS.ProcessEnv = process.env) => {
    const file = join(writeFiles(temporaryFolder(), { 'probe.mjs': program }), 'probe.mjs');
    return createProbe(folder, pathToFileURL(file), environment)('webgpu', false);
  };

  it.each([
    ["process.kill(process.pid, 'SIGSEGV')", 'trying webgpu ended with SIGSEGV'],
    ['process.exit(7)', 'trying webgpu ended with exit code 7'],
    ["console.log('{')", 'trying webgpu ended with exit code 0'],
    [
      `console.log(JSON.stringify({ works: false, reason: 'a.cc:1 f() x was false. Failed to get an adapter\\n' }))`,
      'Failed to get an adapter',
    ],
  ])('createProbe: a driver that does %s is no device', async (program, reason) => {
    expect(await probeWith(program)).toEqual({ works: false, reason });
  });

  it('createProbe: what a driver prints before the answer is passed over', async () => {
    const program = `console.log('Warning: no Vulkan'); console.log(JSON.stringify({ works: true, milliseconds: 1 }))`;
    expect(await probeWith(program)).toEqual({ works: true, milliseconds: 1 });
  });

  it('createProbe: the child sees no inputs and no tokens', async () => {
    const environment = {
      PATH: process.env.PATH,
      'INPUT_GITHUB-TOKEN': 's',
      ACTIONS_RUNTIME_TOKEN: 's',
      GITHUB_ENV: 's',
    };
    const program = `console.log(JSON.stringify({ works: false, reason: Object.keys(process.env).sort().join() }))`;
    expect(await probeWith(program, environment)).toEqual({ works: false, reason: 'PATH' });
  });
});
