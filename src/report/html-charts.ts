/** Small inline SVG pictures. Everything in them is a number or a colour; labels stand in the HTML around them. */
import type { Check, Interval } from '../gate/verdict.ts';
import type { SelectionReport } from './gate-report.ts';

/** The colour of a width: the more bits, the deeper. */
export function widthColour(bits: number): string {
  return bits <= 8 ? `var(--w${Math.max(2, Math.round(bits))})` : 'var(--wf)';
}

/** A bar filled to `share` in [0, 1]. */
export function renderBar(share: number, colour: string): string {
  const track = '<rect width="100%" height="10" rx="3" fill="var(--track)"/>';
  const fill = `<rect width="${percent(clamp(share))}" height="10" rx="3" fill="${colour}"/>`;
  return `<svg class="bar" aria-hidden="true">${track}${fill}</svg>`;
}

/** Segments side by side, each as wide as its part of the whole. */
export function renderStrip(parts: readonly { readonly amount: number; readonly colour: string }[]): string {
  const total = parts.reduce((sum, { amount }) => sum + amount, 0);
  let start = 0;
  const segments = parts.map(({ amount, colour }) => {
    const width = total > 0 ? (1000 * amount) / total : 0;
    const segment = `<rect x="${coordinate(start)}" width="${coordinate(width)}" height="18" fill="${colour}" stroke="var(--card)" stroke-width="0.6"/>`;
    start += width;
    return segment;
  });
  return `<svg class="strip" viewBox="0 0 1000 18" preserveAspectRatio="none" aria-hidden="true">${segments.join('')}</svg>`;
}

/** The measured value as a dot with its interval, and the limit as a line whose good side is shaded. */
export function renderGauge({ measured, limit, bound, interval, outcome }: Check): string {
  const ends = interval === undefined ? [] : [interval.lower, interval.upper];
  const [low, high] = spread([measured, limit, ...ends].filter(Number.isFinite));
  const at = (value: number) => clamp((value - low) / (high - low));
  const [start, end] = bound === 'at-least' ? [at(limit), 1] : [0, at(limit)];
  const colour = `var(--${outcome})`;
  const parts = [
    `<rect x="${percent(start)}" y="8" width="${percent(end - start)}" height="6" rx="3" fill="var(--track)"/>`,
    `<rect x="${percent(at(limit))}" y="2" width="1.5" height="18" fill="var(--soft)"/>`,
    ...(interval === undefined || Number.isNaN(interval.lower) ? [] : [renderSpan(at, interval, colour)]),
    ...(Number.isFinite(measured) ? [`<circle cx="${percent(at(measured))}" cy="11" r="5" fill="${colour}"/>`] : []),
  ];
  return `<svg aria-hidden="true">${parts.join('')}</svg>`;
}

function renderSpan(at: (value: number) => number, { lower, upper }: Interval, colour: string): string {
  const [start, end] = [at(lower), at(upper)];
  const place = `x="${percent(start)}" y="9.5" width="${percent(end - start)}" height="3" rx="1.5"`;
  return `<rect ${place} fill="${colour}" opacity="0.5"/>`;
}

/** A little air around the values; a range of its own where they are all one. */
function spread(values: readonly number[]): readonly [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const air = high > low ? (high - low) * 0.15 : Math.abs(high) * 0.1 || 1;
  return [low - air, high + air];
}

/** Predicted against measured losses, both from the least to the largest. */
export function renderScatter({ candidates }: SelectionReport): string {
  const shown = candidates.filter(({ predicted, measured }) => Number.isFinite(predicted) && Number.isFinite(measured));
  const [left, right] = spread(shown.map(({ predicted }) => predicted));
  const [bottom, top] = spread(shown.map(({ measured }) => measured));
  const dots = shown.map(({ predicted, measured, chosen }) => {
    const [x, y] = [
      30 + (280 * (predicted - left)) / (right - left),
      190 - (180 * (measured - bottom)) / (top - bottom),
    ];
    const look = chosen ? 'r="6" fill="var(--accent)"' : 'r="4" fill="none" stroke="var(--soft)" stroke-width="1.5"';
    return `<circle cx="${coordinate(x)}" cy="${coordinate(y)}" ${look}/>`;
  });
  const axes = '<path d="M30 10V190H310" fill="none" stroke="var(--line)"/>';
  const names =
    '<g fill="var(--soft)" font-size="10"><text x="170" y="206" text-anchor="middle">predicted loss</text><text x="14" y="100" text-anchor="middle" transform="rotate(-90 14 100)">measured loss</text></g>';
  return `<svg class="scatter" viewBox="0 0 320 212" role="img" aria-label="measured against predicted loss">${axes}${dots.join('')}${names}</svg>`;
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function percent(share: number): string {
  return `${coordinate(100 * share)}%`;
}

/** Two decimals are finer than any screen. */
function coordinate(value: number): string {
  return String(Number(value.toFixed(2)));
}
