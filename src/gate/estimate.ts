import type { Interval } from './verdict.ts';

/** A measured value with what the samples say of the true one. */
export type Estimate = {
  readonly interval: Interval;
  /** How many standard errors the value is above `limit`; the interval holds the limits at most `criticalValue` away. */
  scoreAt(limit: number): number;
};
