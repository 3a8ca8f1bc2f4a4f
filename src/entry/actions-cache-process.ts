/**
 * One request to the Actions cache, in a process of its own; the only importer of @actions/cache.
 *
 * The client says what went wrong in lines for the runner only, some of which would become annotations, and reads its
 * settings from the environment of the process. Here its lines are caught, and its settings are this process's own.
 */
import { CACHE_READ_DENIED_PREFIX, isFeatureAvailable, restoreCache, saveCache } from '@actions/cache';

export type CacheRequest =
  | { readonly kind: 'restore'; readonly path: string; readonly prefixes: readonly string[] }
  | { readonly kind: 'save'; readonly path: string; readonly key: string };

export type CacheAnswer =
  | { readonly kind: 'restored'; readonly matchedKey: string }
  | { readonly kind: 'absent' | 'saved' | 'exists' | 'unavailable' }
  /** What the client complained about, one line each. */
  | { readonly kind: 'failed'; readonly complaints: readonly string[] };

const complaints: string[] = [];

process.stdout.write = (text: string | Uint8Array) => {
  for (const line of String(text).split('\n')) noteComplaint(line);
  return true;
};
// Without a parent there is nobody to answer.
process.once('disconnect', () => process.exit());
process.once('message', async (request: CacheRequest) => {
  const answer = await answerTo(request).catch(
    (error: unknown): CacheAnswer => ({ kind: 'failed', complaints: [...complaints, String(error)] }),
  );
  // Sockets that the client keeps open would hold the process for minutes.
  process.send?.(answer, () => process.exit());
});

async function answerTo(request: CacheRequest): Promise<CacheAnswer> {
  if (!isFeatureAvailable()) return { kind: 'unavailable' };
  return request.kind === 'restore' ? restore(request.path, request.prefixes) : save(request.path, request.key);
}

async function restore(path: string, prefixes: readonly string[]): Promise<CacheAnswer> {
  for (const prefix of prefixes) {
    const matchedKey = await restoreCache([path], prefix, [prefix]);
    if (matchedKey !== undefined) return { kind: 'restored', matchedKey };
    // Who fails once, after many attempts, is not asked again.
    if (complaints.length > 0) return { kind: 'failed', complaints };
  }
  return { kind: 'absent' };
}

/** Looked up first: a second reservation of a key is refused with a warning. */
async function save(path: string, key: string): Promise<CacheAnswer> {
  if ((await restoreCache([path], key, [], { lookupOnly: true })) === key) return { kind: 'exists' };
  // Who may only write is refused here and not there; any other trouble would only come again, after as long a wait.
  if (complaints.some((text) => !text.includes(CACHE_READ_DENIED_PREFIX))) return { kind: 'failed', complaints };
  complaints.length = 0;
  const id = await saveCache([path], key);
  return id === -1 ? { kind: 'failed', complaints } : { kind: 'saved' };
}

/**
 * Warnings and errors (workflow commands, their text escaped), and two plain lines: the end of a save, and the reason of
 * an attempt that is repeated, which the client forgets.
 */
function noteComplaint(line: string): void {
  const command = /^::(?:warning|error)[^:]*::(.*)$/.exec(line)?.[1];
  const text =
    command === undefined
      ? (/^Failed to save: .*/.exec(line)?.[0] ??
        /^Attempt \d+ of \d+ failed with error: (.*)\. Retrying/.exec(line)?.[1])
      : command.replaceAll('%0D', '').replaceAll('%0A', ' ').replaceAll('%25', '%');
  if (text !== undefined && !complaints.includes(text)) complaints.push(text);
}
