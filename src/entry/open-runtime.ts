/** Finds onnxruntime, loads it, and settles where models run; says each step, because none may fall back in silence. */
import type { ExecutionProvider, RuntimeConfig } from '../config/config.ts';
import { UserError } from '../errors.ts';
import { chooseDevice, type ProbeDevice } from '../runtime/choose-device.ts';
import {
  type FoundRuntime,
  findOnnxruntime,
  type MissedRuntime,
  toolCacheFolder,
} from '../runtime/find-onnxruntime.ts';
import { createOpenSession, loadOnnxruntime } from '../runtime/onnxruntime.ts';
import type { OpenSession } from '../runtime/session.ts';

export type Runtime = {
  readonly version: string;
  readonly executionProvider: ExecutionProvider;
  /** What the device calls itself, where it says so. */
  readonly deviceName?: string;
  readonly openSession: OpenSession;
};

export type RuntimeEffects = {
  /** The runner's folder of tools, or the user's own. */
  readonly toolCache: string;
  /** Beside the bundle; found by itself when absent. */
  readonly vendorFolder?: string;
  probeWith(folder: string): ProbeDevice;
  /** Fetches the pinned packages into a folder. */
  download(folder: string): Promise<void>;
  nameDevice(device: ExecutionProvider): Promise<string | undefined>;
  /** Takes one line for the log. */
  note(line: string): void;
};

/** @throws UserError if onnxruntime is nowhere, cannot be loaded, or the device asked for does not work */
export async function openRuntime(config: RuntimeConfig, effects: RuntimeEffects): Promise<Runtime> {
  const { place, folder, version } = await find(config, effects);
  effects.note(`onnxruntime ${version}: ${place}, ${folder}`);
  const library = loadOnnxruntime(folder);
  const { executionProvider, passedOver } = await chooseDevice(config.device, effects.probeWith(folder));
  const deviceName = await effects.nameDevice(executionProvider);
  const reasons = passedOver.map(({ device, reason }) => `; not ${device}: ${reason}`).join('');
  const asked = config.device === 'auto' ? ' (auto)' : '';
  effects.note(`device: ${executionProvider}${deviceName === undefined ? '' : `, ${deviceName}`}${asked}${reasons}`);
  return {
    version,
    executionProvider,
    ...(deviceName === undefined ? {} : { deviceName }),
    openSession: createOpenSession(library, executionProvider),
  };
}

async function find(config: RuntimeConfig, effects: RuntimeEffects): Promise<FoundRuntime> {
  const { toolCache, vendorFolder, download, note } = effects;
  const search = {
    toolCache,
    ...(vendorFolder === undefined ? {} : { vendorFolder }),
    ...(config.path === undefined ? {} : { runtimePath: config.path }),
  };
  const { found, missed } = findOnnxruntime(search);
  if (found !== undefined) return found;
  if (!config.allowsDownload || config.path !== undefined) throw isNowhere(missed);
  note('onnxruntime is nowhere; downloading it, as allow-download says');
  await download(toolCacheFolder(toolCache));
  const { found: downloaded, missed: missedAgain } = findOnnxruntime(search);
  if (downloaded === undefined) throw isNowhere(missedAgain);
  return downloaded;
}

function isNowhere(missed: readonly MissedRuntime[]): UserError {
  const places = missed.map(({ place, folder, reason }) => `\n  ${place}, ${folder}: ${reason}`).join('');
  return new UserError({
    what: `onnxruntime-node is not where it could be:${places}`,
    fix: 'use a release, which carries it for linux-x64; or put it there as docs/self-hosted.md says; or set allow-download',
  });
}
