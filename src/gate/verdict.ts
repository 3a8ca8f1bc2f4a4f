/** One limit held against one measurement. */
export type Check = {
  readonly name: string;
  readonly measured: number;
  readonly limit: number;
  readonly unit: string;
  /** The good side of the limit. */
  readonly bound: 'at-least' | 'at-most';
  readonly passed: boolean;
};

export type Verdict = {
  readonly verdict: 'pass' | 'fail';
  readonly checks: readonly Check[];
};
