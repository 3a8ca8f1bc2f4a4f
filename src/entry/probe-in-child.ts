import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ExecutionProvider } from '../config/config.ts';
import type { DeviceProbe, ProbeDevice } from '../runtime/choose-device.ts';
import { missingLibrary } from '../runtime/probe-device.ts';

/** Compiling the first kernels takes seconds; a driver that hangs takes forever. */
const TIMEOUT_MILLISECONDS = 60_000;

/** Longer reasons are a driver's life story. */
const MAX_REASON_LENGTH = 300;

/**
 * Probes of the onnxruntime-node in `folder`, each in a child process.
 *
 * @param program probe.ts or its bundle
 */
export function createProbe(folder: string, program: URL, environment: NodeJS.ProcessEnv): ProbeDevice {
  return async (device, againstCpu) => {
    const missing = missingLibrary(folder, device);
    if (missing !== undefined) return { works: false, reason: missing };
    const args = [fileURLToPath(program), folder, device, ...(againstCpu ? ['against-cpu'] : [])];
    return runProbe(device, args, withoutSecrets(environment));
  };
}

function runProbe(device: ExecutionProvider, args: readonly string[], env: NodeJS.ProcessEnv): Promise<DeviceProbe> {
  const options = { env, timeout: TIMEOUT_MILLISECONDS, killSignal: 'SIGKILL' as const };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...args], options, (_error, stdout) => {
      const end = child.signalCode ?? `exit code ${child.exitCode}`;
      resolve(parseProbe(stdout) ?? { works: false, reason: `trying ${device} ended with ${end}` });
    });
  });
}

/** The last line: a driver may have printed before it. */
function parseProbe(stdout: string): DeviceProbe | undefined {
  try {
    const probe = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as DeviceProbe;
    return probe.works ? probe : { works: false, reason: oneLine(probe.reason) };
  } catch {
    return undefined;
  }
}

/** onnxruntime puts a source file and a function's signature before the reason; the reason comes last. */
function oneLine(reason: string): string {
  const lines = reason.trim().split('\n').at(-1)!;
  return (/ was false\. (.+)$/.exec(lines)?.[1] ?? lines).slice(0, MAX_REASON_LENGTH);
}

/** A child that loads drivers needs no tokens and no inputs. */
function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(INPUT|ACTIONS|GITHUB|STATE)_/.test(name)),
  );
}
