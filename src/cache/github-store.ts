/**
 * Measurement sets in the Actions cache. Its entries are never changed, so each is named by what it holds:
 * `bitgate-v1-<set>-<its units>-<its losses>`, and found by the beginning of its name.
 *
 * Whatever the service does, a run goes on: it measures what it did not get.
 */
import { createHash } from 'node:crypto';
import type { ActionsCacheClient, Failure } from './actions-cache-client.ts';
import type { MeasurementRecord } from './measurement-record.ts';
import { describeRejections, encodeRecordLines, parseRecordLines } from './record-lines.ts';

export type GithubStore = {
  /** Gets what is known of a set, rather an entry with exactly the wanted units than a newer one with others. */
  restore(key: string, wantedUnits: readonly string[]): Promise<GithubRestore>;
  /** @param matchedKey the entry that was restored: if nothing was added to it, nothing is saved */
  save(key: string, records: readonly MeasurementRecord[], matchedKey?: string): Promise<GithubSave>;
};

export type GithubRestore = {
  readonly outcome: 'found' | 'absent' | 'denied' | 'failed';
  readonly matchedKey?: string;
  readonly records: ReadonlyMap<string, MeasurementRecord>;
  readonly notes: readonly string[];
};

export type GithubSave = {
  /** known: the same measurements are there already. */
  readonly outcome: 'saved' | 'known' | 'denied' | 'failed';
  readonly savedKey?: string;
  readonly notes: readonly string[];
};

export type GithubStoreOptions = {
  readonly client: ActionsCacheClient;
  /** ACTIONS_CACHE_MODE: none, read, write or write-only; other values and none at all allow everything. */
  readonly mode?: string;
};

/** How the service words a refusal (@actions/cache, CACHE_READ_DENIED_PREFIX and CACHE_WRITE_DENIED_PREFIX). */
const READ_DENIED = 'cache read denied:';
const WRITE_DENIED = 'cache write denied:';

const NO_ZSTD = 'zstd is not installed on this runner, so it shares no cache with runners that have it';

export function createGithubStore({ client, mode = '' }: GithubStoreOptions): GithubStore {
  const access = mode.trim().toLowerCase();
  return {
    restore: async (key, wantedUnits) => {
      if (access === 'none' || access === 'write-only') {
        return nothing('denied', `ACTIONS_CACHE_MODE is "${access}", so the Actions cache is not read`);
      }
      return restore(client, key, wantedUnits);
    },
    save: async (key, records, matchedKey) => {
      const savedKey = entryKey(key, records);
      if (records.length === 0 || savedKey === matchedKey) return { outcome: 'known', notes: [] };
      if (access === 'none' || access === 'read') {
        return unsaved('denied', `ACTIONS_CACHE_MODE is "${access}"`);
      }
      return save(client, savedKey, records);
    },
  };
}

async function restore(
  client: ActionsCacheClient,
  key: string,
  wantedUnits: readonly string[],
): Promise<GithubRestore> {
  const reply = await client.restore([unitsPrefix(key, wantedUnits), setPrefix(key)]);
  const zstdNotes = reply.hasZstd ? [] : [NO_ZSTD];
  switch (reply.outcome) {
    case 'restored': {
      const { records, rejections } = parseRecordLines(reply.content, key);
      const notes = describeRejections(rejections, 'in the Actions cache');
      return { outcome: 'found', matchedKey: reply.matchedKey, records, notes };
    }
    case 'absent':
      return nothing('absent', ...zstdNotes);
    case 'unavailable':
    case 'failed': {
      const reason = describeFailure(reply);
      if (reason.includes(READ_DENIED)) return nothing('denied', `this run may not read the Actions cache: ${reason}`);
      return nothing('failed', `nothing was restored from the Actions cache: ${reason}`);
    }
  }
}

async function save(
  client: ActionsCacheClient,
  savedKey: string,
  records: readonly MeasurementRecord[],
): Promise<GithubSave> {
  const reply = await client.save(savedKey, encodeRecordLines(records));
  switch (reply.outcome) {
    case 'saved':
      return { outcome: 'saved', savedKey, notes: [] };
    case 'exists':
      return { outcome: 'known', savedKey, notes: [] };
    case 'unavailable':
    case 'failed': {
      const reason = describeFailure(reply);
      return reason.includes(WRITE_DENIED)
        ? unsaved('denied', `this run may only read it: ${reason}`)
        : unsaved('failed', reason);
    }
  }
}

function describeFailure(failure: Failure): string {
  return failure.outcome === 'failed'
    ? failure.reason
    : 'there is no cache service here (ACTIONS_RESULTS_URL is not set)';
}

function nothing(outcome: 'absent' | 'denied' | 'failed', ...notes: readonly string[]): GithubRestore {
  return { outcome, records: new Map(), notes };
}

function unsaved(outcome: 'denied' | 'failed', reason: string): GithubSave {
  return { outcome, notes: [`the measurements are not saved in the Actions cache: ${reason}`] };
}

function setPrefix(key: string): string {
  return `bitgate-v1-${key}-`;
}

function unitsPrefix(key: string, units: readonly string[]): string {
  return `${setPrefix(key)}${digest([...units].sort())}-`;
}

/** Times do not count: the same losses, measured again, are the same entry. */
function entryKey(key: string, records: readonly MeasurementRecord[]): string {
  const sorted = [...records].sort((a, b) => (a.unit < b.unit ? -1 : 1));
  const units = sorted.map(({ unit }) => unit);
  return unitsPrefix(key, units) + digest(sorted.map(({ unit, losses }) => [unit, Object.entries(losses)]));
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
