/** What a search knows of time: what its steps took so far, and whether another would end before the limit. */

export class SearchClock {
  readonly #secondsLeft: () => number;
  readonly #limitSeconds: number;
  /** The longest so far: a step that is begun has to end, even where the machine is busy. */
  #secondsForBuild = 0;
  #secondsForMoves: number | undefined;
  #stoppedByTime = false;

  /** @param secondsLeft until the limit, finite */
  constructor(secondsLeft: () => number) {
    this.#secondsLeft = secondsLeft;
    this.#limitSeconds = secondsLeft();
  }

  /** Whether some step was left out for want of time. */
  get stoppedByTime(): boolean {
    return this.#stoppedByTime;
  }

  /** @param keptShare of the whole time, kept for other steps */
  hasTimeForBuild(keptShare = 0): boolean {
    return this.#hasTime(this.#secondsForBuild, keptShare);
  }

  /** And for one build: moves alone decide nothing. The estimate counts until moves were measured once. */
  hasTimeForMoves(estimate: (secondsForBuild: number) => number): boolean {
    const seconds = this.#secondsForMoves ?? estimate(this.#secondsForBuild);
    return this.#hasTime(seconds + this.#secondsForBuild, 0);
  }

  async timeBuild<Result>(build: () => Promise<Result>): Promise<Result> {
    const { result, seconds } = await this.#time(build);
    this.#secondsForBuild = Math.max(this.#secondsForBuild, seconds);
    return result;
  }

  async timeMoves<Result>(measure: () => Promise<Result>): Promise<Result> {
    const { result, seconds } = await this.#time(measure);
    this.#secondsForMoves = Math.max(this.#secondsForMoves ?? 0, seconds);
    return result;
  }

  async #time<Result>(step: () => Promise<Result>): Promise<{ result: Result; seconds: number }> {
    const before = this.#secondsLeft();
    const result = await step();
    return { result, seconds: before - this.#secondsLeft() };
  }

  #hasTime(expectedSeconds: number, keptShare: number): boolean {
    const seconds = this.#secondsLeft() - keptShare * this.#limitSeconds;
    if (seconds > 0 && seconds >= expectedSeconds) return true;
    this.#stoppedByTime = true;
    return false;
  }
}
