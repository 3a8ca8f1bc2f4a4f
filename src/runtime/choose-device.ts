/** Which device the models run on: the one asked for or none, and with `auto` the first of a fixed order that works. */
import type { DeviceChoice, ExecutionProvider } from '../config/config.ts';
import { UserError } from '../errors.ts';

/** What using a device once showed. */
export type DeviceProbe =
  /** Milliseconds of the same work here and on the CPU; the second where it was asked for. */
  | { readonly works: true; readonly milliseconds: number; readonly cpuMilliseconds?: number }
  | { readonly works: false; readonly reason: string };

export type ProbeDevice = (device: ExecutionProvider, againstCpu: boolean) => Promise<DeviceProbe>;

export type ChosenDevice = {
  readonly executionProvider: ExecutionProvider;
  /** With `auto`: the devices that were passed over, and why. */
  readonly passedOver: readonly { readonly device: ExecutionProvider; readonly reason: string }[];
};

/** The CPU comes last and is not probed: it is always there. */
const AUTO_ORDER = ['cuda', 'webgpu'] as const satisfies ExecutionProvider[];

/** A WebGPU device may be a renderer in software, which is many times slower than the CPU it runs on. */
const MIN_SPEED_UP = 2;

/** @throws UserError if a device that was asked for by name does not work, with the reason */
export async function chooseDevice(choice: DeviceChoice, probe: ProbeDevice): Promise<ChosenDevice> {
  if (choice === 'cpu') return { executionProvider: 'cpu', passedOver: [] };
  if (choice !== 'auto') return { executionProvider: await insistOn(choice, probe), passedOver: [] };
  const passedOver = [];
  for (const device of AUTO_ORDER) {
    const reason = reasonAgainst(await probe(device, device === 'webgpu'));
    if (reason === undefined) return { executionProvider: device, passedOver };
    passedOver.push({ device, reason });
  }
  return { executionProvider: 'cpu', passedOver };
}

async function insistOn(device: ExecutionProvider, probe: ProbeDevice): Promise<ExecutionProvider> {
  const result = await probe(device, false);
  if (result.works) return device;
  throw new UserError({
    what: `the device ${device} cannot be used: ${result.reason}`,
    fix: 'see docs/self-hosted.md for what it needs, or set `device: auto` or `device: cpu`',
  });
}

function reasonAgainst(result: DeviceProbe): string | undefined {
  if (!result.works) return result.reason;
  const { milliseconds, cpuMilliseconds } = result;
  if (cpuMilliseconds === undefined || cpuMilliseconds >= MIN_SPEED_UP * milliseconds) return undefined;
  return `it works, but is no graphics card: ${milliseconds.toFixed(1)} ms where the CPU takes ${cpuMilliseconds.toFixed(1)} ms`;
}
