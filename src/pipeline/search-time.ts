/** How long the choice by measurement may take where the config leaves it to the run. */
import type { Config } from '../config/config.ts';
import type { Measured } from './measure-with-cache.ts';

const SECONDS = 60;

/**
 * Where this machine had all measurements: who asks again tries budgets and limits, and waits for the answer. It is time for a few
 * proposals of ResNet-20, and has a new budget answered in ten seconds.
 */
const SECONDS_WHEN_KNOWN = 3;

/** The Actions cache makes no difference: what a job answers must not depend on whether its cache was evicted. */
export function searchSecondsOf({ timeLimitSeconds }: Config['search'], { kept }: Pick<Measured, 'kept'>): number {
  if (timeLimitSeconds !== 'auto') return timeLimitSeconds;
  return kept?.hadAll ? SECONDS_WHEN_KNOWN : SECONDS;
}
