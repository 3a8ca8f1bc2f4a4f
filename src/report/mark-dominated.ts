import type { MeasuredPoint, ParetoPoint, ParetoReport } from './pareto-report.ts';

/** Which points another one beats: no larger and no worse, and better in one of the two. One that is not a number is the worst. */
export function markDominated(points: readonly ParetoPoint[], better: ParetoReport['better']): ParetoPoint[] {
  const goodness = ({ value }: MeasuredPoint) => {
    if (Number.isNaN(value)) return Number.NEGATIVE_INFINITY;
    return better === 'lower' ? -value : value;
  };
  const measured = points.filter((point) => point.status === 'measured');
  const beats = (a: MeasuredPoint, b: MeasuredPoint) =>
    a.sizeBytes <= b.sizeBytes &&
    goodness(a) >= goodness(b) &&
    (a.sizeBytes < b.sizeBytes || goodness(a) > goodness(b));
  return points.map((point) =>
    point.status === 'measured' ? { ...point, dominated: measured.some((other) => beats(other, point)) } : point,
  );
}
