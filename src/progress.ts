/** What a long stage tells while it works: `done` of `total` units, in units named by `unit`. */
export type ProgressEvent = {
  /** What is being done, as a person would say it: "measuring pairs". */
  readonly activity: string;
  readonly done: number;
  readonly total: number;
  /** Plural noun: "forwards", "samples". */
  readonly unit: string;
};

/** Called often; the listener decides how much of it a person sees. */
export type ReportProgress = (event: ProgressEvent) => void;
