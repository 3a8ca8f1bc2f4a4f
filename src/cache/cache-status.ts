/** What the cache gave to a run, for the report. */

export type CacheStatus = {
  readonly store: 'github' | 'local' | 'off';
  /** hit: every unit was known; partial: some; miss: none; denied: the run may not read; off: not asked. */
  readonly status: 'hit' | 'partial' | 'miss' | 'denied' | 'off';
  readonly knownUnits: number;
  readonly wantedUnits: number;
  /** What was found: the key of an entry in the Actions cache, or of a measurement set on this machine. */
  readonly matchedKey?: string;
  /** Since the newest of the known units was measured. */
  readonly ageSeconds?: number;
  /** Things a person should know: unusable records, a cache that did not answer. */
  readonly notes: readonly string[];
};

const STORE_NAMES = { github: 'Actions cache', local: 'this machine', off: 'no store' } as const;

/** "partial, 12 of 43 units known (Actions cache, key bitgate-v1-…, measured 3 hours ago)". */
export function describeCacheStatus(cache: CacheStatus): string {
  const { status, store, knownUnits, wantedUnits, matchedKey, ageSeconds } = cache;
  if (status === 'off') return 'off';
  const details = [
    STORE_NAMES[store],
    ...(matchedKey === undefined ? [] : [`key ${matchedKey}`]),
    ...(ageSeconds === undefined ? [] : [`measured ${describeAge(ageSeconds)} ago`]),
  ];
  return `${status}, ${knownUnits} of ${wantedUnits} units known (${details.join(', ')})`;
}

/** "3 hours"; whole numbers, rounded down. */
export function describeAge(seconds: number): string {
  const [count, unit] =
    seconds < 120
      ? [seconds, 'second']
      : seconds < 7200
        ? [seconds / 60, 'minute']
        : seconds < 172_800
          ? [seconds / 3600, 'hour']
          : [seconds / 86_400, 'day'];
  const whole = Math.floor(count);
  return `${whole} ${unit}${whole === 1 ? '' : 's'}`;
}
