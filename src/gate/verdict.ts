import type { LimitName } from '../config/config.ts';

/** `inconclusive`: the limit lies inside the confidence interval. */
export type Outcome = 'pass' | 'warn' | 'fail' | 'inconclusive';

/** Where the true value lies, with this confidence; two-sided. */
export type Interval = {
  readonly lower: number;
  readonly upper: number;
  /** In (0, 1). */
  readonly confidence: number;
  readonly method: 'wilson' | 'tango' | 'bootstrap';
};

/** One limit held against one measurement. */
export type Check = {
  readonly name: string;
  readonly measured: number;
  readonly limit: number;
  /** `none`: of what a command prints. */
  readonly unit: 'bytes' | 'bits per weight' | 'ratio' | 'nats' | 'samples' | 'none';
  /** The good side of the limit. */
  readonly bound: 'at-least' | 'at-most';
  readonly outcome: Outcome;
  /** Whether the outcome is `pass`. */
  readonly passed: boolean;
  /** The key in the config that set the limit; absent for what no config allows. */
  readonly limitName?: LimitName;
  /** The interval that decided, or that a limit on a measured value had around it. */
  readonly interval?: Interval;
  /** For an inconclusive check: about how many samples like these would decide it; absent when none would. */
  readonly samplesToSettle?: number;
};

export type Verdict = {
  /** The worst outcome of all checks: fail, then inconclusive, then warn. */
  readonly verdict: Outcome;
  /** Whether the build may go on: pass, warn, and inconclusive where the config says that it only warns. */
  readonly passed: boolean;
  readonly checks: readonly Check[];
  /** Of the artifact's metric and of its drop, where a confidence is asked for. */
  readonly intervals?: { readonly quantized: Interval; readonly drop: Interval };
};
