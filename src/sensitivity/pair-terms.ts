/**
 * From measured losses to the quadratic form of the program (docs/formulation.md, "Single and pair terms"):
 *
 *     s_i(b)     = φ(L({i:b}))                              G_ii(b,b) = 2 s_i(b)
 *     Ω_ij(b,c)  = φ(L({i:b, j:c})) − s_i(b) − s_j(c)       G_ij(b,c) = Ω_ij(b,c)
 *
 * so that ½xᵀGx of a one-hot x is the predicted loss, φ applied.
 */
import { nonIncreasing } from './isotonic.ts';
import { projectPositiveSemidefinite } from './positive-semidefinite.ts';
import type { Sensitivities } from './sensitivities.ts';

export type TermOptions = {
  /** φ: `log1p` is log(1 + L), because damage saturates. */
  readonly transform: 'none' | 'log1p';
  /** Drop the negative eigenvalues of G. */
  readonly psd: boolean;
};

export type QuadraticTerms = {
  /** G, symmetric, shape [variableCount, variableCount]. */
  readonly quadratic: Float64Array;
  /** Of G before the projection; zero without pairs. */
  readonly negativeShare: number;
};

export function quadraticTerms(sensitivities: Sensitivities, { transform, psd }: TermOptions): QuadraticTerms {
  const phi = transform === 'log1p' ? transformLoss : (loss: number) => loss;
  const count = sensitivities.singles.length;
  const measured = sensitivities.singles.map(phi);
  const guarded = guardSingles(measured, sensitivities.candidateCounts);
  const quadratic = new Float64Array(count * count);
  for (let variable = 0; variable < count; variable++) quadratic[variable * (count + 1)] = 2 * guarded[variable]!;
  const { pairs } = sensitivities;
  if (pairs === undefined) return { quadratic, negativeShare: 0 };
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) {
      const loss = pairs[row * count + column]!;
      // The measured singles, not the guarded ones: what noise they carry, the pair's loss carries too.
      if (!Number.isNaN(loss)) quadratic[row * count + column] = phi(loss) - measured[row]! - measured[column]!;
    }
  }
  const { matrix, negativeShare } = projectPositiveSemidefinite(quadratic, count);
  return { quadratic: psd ? matrix : quadratic, negativeShare };
}

/** log(1 + L); a loss below the float model's by noise or luck can be negative, but hardly below −1. */
function transformLoss(loss: number): number {
  return Math.log1p(Math.max(loss, -0.999));
}

/** No candidate is better than a wider one of its layer, and none is better than float (candidates ascend in bits). */
function guardSingles(singles: Float64Array, candidateCounts: readonly number[]): Float64Array {
  const guarded: number[] = [];
  for (const count of candidateCounts) {
    const layer = singles.subarray(guarded.length, guarded.length + count);
    guarded.push(...nonIncreasing([...layer]).map((value) => Math.max(0, value)));
  }
  return Float64Array.from(guarded);
}
