/** The smallest model that passes a gate, by bisection over budgets (docs/adr/0006-questions.md). */

export type SizedOutcome = {
  /** What it takes of the budget, no more than it was given. */
  readonly sizeBytes: number;
  readonly passed: boolean;
};

export type SizeRange = {
  /** Bytes of the smallest and of the largest model that there can be. */
  readonly smallest: number;
  readonly largest: number;
};

export type Step<Outcome> = { readonly limitBytes: number; readonly outcome: Outcome };

/**
 * Nine halvings leave less than one hundredth of the smallest of all, where the largest has up to six times its size (2 to 8
 * bits have four); the first step measures the largest.
 */
export const MOST_STEPS = 10;

/** Of the size: a smaller model closer than this is not looked for. */
export const SIZE_TOLERANCE = 0.01;

/**
 * Whether models pass need not be monotone in their size, so that the answer is the smallest of those that were measured and
 * passed, whatever was measured besides. Where the largest does not pass, it is the answer, and nothing else is measured.
 *
 * @param measure the model for a budget of so many bytes; undefined where other limits leave none, which happens only below
 *   some size
 */
export async function findSmallestPassing<Outcome extends SizedOutcome>(
  { smallest, largest }: SizeRange,
  measure: (limitBytes: number) => Promise<Outcome | undefined>,
): Promise<{ readonly best: Outcome; readonly steps: readonly Step<Outcome>[] }> {
  const steps: Step<Outcome>[] = [];
  const take = async (limitBytes: number) => {
    const outcome = await measure(limitBytes);
    if (outcome !== undefined) steps.push({ limitBytes, outcome });
    return outcome;
  };
  let best = await take(largest);
  if (best === undefined) throw new RangeError('there is no model at all');
  if (!best.passed) return { best, steps };
  // Below every model, and so as good as measured and failed.
  let failing = smallest - 1;
  while (steps.length < MOST_STEPS && best.sizeBytes - failing > Math.max(1, SIZE_TOLERANCE * best.sizeBytes)) {
    const middle = Math.floor((failing + best.sizeBytes) / 2);
    const outcome = await take(middle);
    if (outcome?.passed) best = outcome;
    else failing = middle;
  }
  return { best, steps };
}
