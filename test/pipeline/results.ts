import type { GateReport } from '../../src/report/gate-report.ts';

/** A result without what a clock decides, and without what it says of the cache. */
export function lasting(result: GateReport): unknown {
  return JSON.parse(JSON.stringify(result), (key, item) =>
    /seconds$/i.test(key) || ['timings', 'speed', 'cache', 'cacheKey', 'warnings'].includes(key) ? undefined : item,
  );
}
