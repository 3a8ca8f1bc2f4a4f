/** Seconds per stage, in the order in which the stages ran. */
export type StageClock = {
  time<Result>(stage: string, work: () => Result | Promise<Result>): Promise<Result>;
  readonly timings: Readonly<Record<string, number>>;
};

/** @param now a clock in milliseconds */
export function createStageClock(now: () => number): StageClock {
  const timings: Record<string, number> = {};
  return {
    timings,
    time: async (stage, work) => {
      const begun = now();
      try {
        return await work();
      } finally {
        timings[stage] = (timings[stage] ?? 0) + (now() - begun) / 1000;
      }
    },
  };
}
