import { describe, expect, it } from 'vitest';
import type { ExecutionProvider } from '../../src/config/config.ts';
import { chooseDevice, type DeviceProbe } from '../../src/runtime/choose-device.ts';

const BROKEN: DeviceProbe = { works: false, reason: 'no adapter' };
const FAST: DeviceProbe = { works: true, milliseconds: 1, cpuMilliseconds: 10 };

/** Probes that answer from a table, and remember who was asked. */
function probes(table: Partial<Record<ExecutionProvider, DeviceProbe>>) {
  const asked: string[] = [];
  const probe = async (device: ExecutionProvider, againstCpu: boolean) => {
    asked.push(againstCpu ? `${device} against cpu` : device);
    return table[device] ?? BROKEN;
  };
  return { asked, probe };
}

describe('chooseDevice', () => {
  it('chooseDevice: auto takes cuda where it works, and asks no further', async () => {
    const { asked, probe } = probes({ cuda: FAST, webgpu: FAST });
    expect(await chooseDevice('auto', probe)).toEqual({ executionProvider: 'cuda', passedOver: [] });
    expect(asked).toEqual(['cuda']);
  });

  it('chooseDevice: auto takes webgpu next, when it is faster than the processor', async () => {
    const { asked, probe } = probes({ webgpu: FAST });
    expect(await chooseDevice('auto', probe)).toEqual({
      executionProvider: 'webgpu',
      passedOver: [{ device: 'cuda', reason: 'no adapter' }],
    });
    expect(asked).toEqual(['cuda', 'webgpu against cpu']);
  });

  it('chooseDevice: auto leaves a WebGPU renderer in software alone, and says so', async () => {
    const { probe } = probes({ webgpu: { works: true, milliseconds: 300, cpuMilliseconds: 20 } });
    expect(await chooseDevice('auto', probe)).toEqual({
      executionProvider: 'cpu',
      passedOver: [
        { device: 'cuda', reason: 'no adapter' },
        { device: 'webgpu', reason: 'it works, but is no graphics card: 300.0 ms where the CPU takes 20.0 ms' },
      ],
    });
  });

  it('chooseDevice: the CPU is taken without a probe', async () => {
    const { asked, probe } = probes({});
    expect(await chooseDevice('cpu', probe)).toEqual({ executionProvider: 'cpu', passedOver: [] });
    expect(asked).toEqual([]);
  });

  it.each(['cuda', 'webgpu', 'tensorrt', 'coreml', 'dml'] as const)(
    'chooseDevice: %s by name is used, also when it is slow, or refused with the reason',
    async (device) => {
      const slow: DeviceProbe = { works: true, milliseconds: 300, cpuMilliseconds: 20 };
      const { executionProvider } = await chooseDevice(device, probes({ [device]: slow }).probe);
      expect(executionProvider).toBe(device);
      await expect(chooseDevice(device, probes({}).probe)).rejects.toThrow(
        `the device ${device} cannot be used: no adapter\n  fix: see docs/self-hosted.md for what it needs, or set \`device: auto\` or \`device: cpu\``,
      );
    },
  );
});
