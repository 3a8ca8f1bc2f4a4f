/** `bitgate cache list` as text. */
import { describeAge } from './cache-status.ts';
import type { KeptSet } from './local-store.ts';

/** A line per set, the one used last first: the beginning of its key, its size, when it was used, its name. */
export function renderCacheList(sets: readonly KeptSet[], directory: string, now: number): string {
  if (sets.length === 0) return `nothing is kept in ${directory}\n`;
  const total = sets.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const rows = sets.map(({ key, label, sizeBytes, usedAt }) => [
    key.slice(0, 12),
    `${sizeBytes} bytes`,
    `used ${describeAge(Math.max(0, (now - usedAt) / 1000))} ago`,
    label,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map(([key, size, used, label]) =>
    `${key}  ${size!.padStart(widths[1]!)}  ${used!.padEnd(widths[2]!)}  ${label}`.trimEnd(),
  );
  const count = sets.length === 1 ? '1 measurement set' : `${sets.length} measurement sets`;
  return [...lines, `${count}, ${total} bytes in ${directory}`, ''].join('\n');
}
