import { readFileSync } from 'node:fs';

/** Whether a process runs; one that ended and that nobody has asked after, a zombie, does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || !/^State:\s+Z/m.test(statusOf(pid));
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    // It ended a moment ago.
    return 'State: Z';
  }
}
