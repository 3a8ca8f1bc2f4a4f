/** The score interval for one proportion (E. B. Wilson, JASA 22, 1927; method 3 of R. G. Newcombe, Stat. Med. 17:857, 1998). */
import type { Estimate } from './estimate.ts';
import { criticalValue } from './normal.ts';

/** The share of hits among samples: the limits p for which |p̂ − p| ≤ z·√(p(1 − p)/n). */
export function wilsonEstimate(hitCount: number, sampleCount: number, confidence: number): Estimate {
  const share = hitCount / sampleCount;
  const zSquared = criticalValue(confidence) ** 2;
  const centre = (hitCount + zSquared / 2) / (sampleCount + zSquared);
  const reach = Math.sqrt(zSquared * (share * (1 - share) * sampleCount + zSquared / 4)) / (sampleCount + zSquared);
  return {
    interval: {
      // Rounding alone could leave a little more than nothing and a little less than all.
      lower: hitCount === 0 ? 0 : centre - reach,
      upper: hitCount === sampleCount ? 1 : centre + reach,
      confidence,
      method: 'wilson',
    },
    scoreAt: (limit) => (share - limit) / Math.sqrt((limit * (1 - limit)) / sampleCount),
  };
}
