/** How sensitivities are found, from the poorest to the richest model of the damage. */

/**
 * `local`: from the second moments of each layer's input, no further run of the model. `diagonal`: every candidate alone.
 * `block`: also pairs of layers that stand near each other. `pairwise`: all pairs (CLADO).
 */
export type SensitivityMethod = 'local' | 'diagonal' | 'block' | 'pairwise';

/** Where the terms of the program come from: a method that measures, a file, or nowhere, because the allocation is given. */
export type SensitivityOrigin = SensitivityMethod | 'external' | 'none';

/** Richest first. */
export const MEASURED_METHODS = ['pairwise', 'block', 'diagonal'] as const;

/** Layers at most so far apart in the graph's order are measured in pairs by `block`: about a residual block. */
const BLOCK_REACH = 3;

/** Whether a method measures the pair of these layers. */
export function measuresPair(method: SensitivityMethod, earlierLayer: number, laterLayer: number): boolean {
  if (method === 'pairwise') return true;
  return method === 'block' && laterLayer - earlierLayer <= BLOCK_REACH;
}

/** Forecasts, by method. */
export type MethodForecast = { readonly method: SensitivityMethod; readonly seconds: number };

/**
 * The richest method whose forecast fits; `local`, which costs nothing more, when none does.
 *
 * @param forecasts richest first
 */
export function richestWithin(forecasts: readonly MethodForecast[], limitSeconds: number): SensitivityMethod {
  return forecasts.find(({ seconds }) => seconds <= limitSeconds)?.method ?? 'local';
}
