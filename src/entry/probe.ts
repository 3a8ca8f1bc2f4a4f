/** Probes one device in a process of its own, because a graphics driver may print, hang or crash; bundled to dist/probe.mjs. */
import type { ExecutionProvider } from '../config/config.ts';
import type { DeviceProbe } from '../runtime/choose-device.ts';
import { loadOnnxruntime } from '../runtime/onnxruntime.ts';
import { probeDevice } from '../runtime/probe-device.ts';

const [folder, device, against] = process.argv.slice(2);
const result = await probe(folder!, device as ExecutionProvider, against === 'against-cpu');
process.stdout.write(`${JSON.stringify(result)}\n`);

async function probe(folder: string, device: ExecutionProvider, againstCpu: boolean): Promise<DeviceProbe> {
  try {
    const library = loadOnnxruntime(folder);
    const milliseconds = await probeDevice(library, device);
    return { works: true, milliseconds, ...(againstCpu ? { cpuMilliseconds: await probeDevice(library, 'cpu') } : {}) };
  } catch (error) {
    return { works: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
