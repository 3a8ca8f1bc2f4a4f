/** The standard normal distribution. */

/**
 * Probability of a value below `z`, to about 1e-15 for |z| ≤ 6: ½ + φ(z)·(z + z³/3 + z⁵/(3·5) + …)
 * (G. Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical Software 11(4), 2004).
 */
export function normalCdf(z: number): number {
  if (Math.abs(z) > LARGEST) return z > 0 ? 1 : 0;
  let term = z;
  let sum = z;
  for (let odd = 3; Math.abs(term) > Number.EPSILON * Math.abs(sum); odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/** Beyond, both tails are below what a double can tell from 0 and 1. */
const LARGEST = 8;

/** The value below which a share `probability` of the distribution lies, between −8 and 8. */
export function normalQuantile(probability: number): number {
  let [low, high] = [-LARGEST, LARGEST];
  let middle = 0;
  while (low < middle && middle < high) {
    if (normalCdf(middle) < probability) low = middle;
    else high = middle;
    middle = (low + high) / 2;
  }
  return middle;
}

/** How many standard errors a two-sided interval reaches to each side. */
export function criticalValue(confidence: number): number {
  return normalQuantile(1 - (1 - confidence) / 2);
}
