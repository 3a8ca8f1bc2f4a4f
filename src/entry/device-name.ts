import { execFile } from 'node:child_process';
import type { ExecutionProvider } from '../config/config.ts';

const TIMEOUT_MILLISECONDS = 10_000;

/** What the driver calls the first graphics card that CUDA uses; undefined for other devices, or when nothing tells. */
export function nameDevice(device: ExecutionProvider): Promise<string | undefined> {
  if (device !== 'cuda' && device !== 'tensorrt') return Promise.resolve(undefined);
  const args = ['--query-gpu=name', '--format=csv,noheader'];
  return new Promise((resolve) => {
    execFile('nvidia-smi', args, { timeout: TIMEOUT_MILLISECONDS }, (error, stdout) => {
      const name = error === null ? stdout.split('\n')[0]!.trim() : '';
      resolve(name === '' ? undefined : name);
    });
  });
}
