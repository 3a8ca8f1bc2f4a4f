import type { CacheFiles } from './cache-files.ts';

/** Names of the files, or of the folders, in a folder; none when it is not there, or goes away meanwhile. */
export async function entryNames(folder: string, kind: 'file' | 'folder', files: CacheFiles): Promise<string[]> {
  if ((await files.statusOf(folder)) === undefined) return [];
  try {
    const entries = await files.listFolder(folder);
    return entries.filter((entry) => entry.kind === kind).map(({ name }) => name);
  } catch (error) {
    if ((await files.statusOf(folder)) === undefined) return [];
    throw error;
  }
}
