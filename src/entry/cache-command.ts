/** `bitgate cache`: what is kept on this machine, listed or removed. */
import type { LocalStore } from '../cache/local-store.ts';
import { renderCacheList } from '../cache/render-cache-list.ts';

export const CACHE_ACTIONS = ['list', 'clear'] as const;

export type CacheAction = (typeof CACHE_ACTIONS)[number];

/** A store, and the folder it is in. */
export type KeptMeasurements = { readonly directory: string; readonly store: LocalStore };

/** @returns what there is to say */
export async function runCacheCommand(
  action: CacheAction,
  { directory, store }: KeptMeasurements,
  now: number,
): Promise<string> {
  if (action === 'list') return renderCacheList(await store.list(), directory, now);
  const { count, sizeBytes } = await store.clear();
  const sets = count === 1 ? '1 measurement set' : `${count} measurement sets`;
  return `${sets}, ${sizeBytes} bytes removed from ${directory}\n`;
}
