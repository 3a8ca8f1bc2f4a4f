/** Accuracy against size as an inline SVG; everything in it is a number, a colour, or a word of ours. */
import type { MeasuredPoint, ParetoReport } from './pareto-report.ts';

const [WIDTH, HEIGHT] = [720, 420];
const FRAME = { left: 70, right: 700, top: 20, bottom: 370 };

/** Undefined values leave lines out; both axes are linear. */
export function renderParetoChart(report: ParetoReport): string {
  const points = report.points.filter((point) => point.status === 'measured' && Number.isFinite(point.value));
  const measured = points as readonly MeasuredPoint[];
  const limits = limitLines(report);
  const budgetBytes = report.budget !== undefined && 'limitBytes' in report.budget ? [report.budget.limitBytes] : [];
  const sizes = [...measured.map(({ sizeBytes }) => sizeBytes), ...budgetBytes, ...limits.vertical];
  const values = [
    ...measured.map(({ value }) => value),
    report.float.value,
    ...limits.horizontal.map(({ value }) => value),
  ];
  const [x, y] = [axis(sizes, FRAME.left, FRAME.right), axis(values, FRAME.bottom, FRAME.top)];
  const parts = [
    renderGrid(x, y, report),
    ...limits.horizontal.map(({ name, value }) => horizontal(y.at(value), 'var(--fail)', name)),
    ...limits.vertical.map((bytes) => vertical(x.at(bytes), 'var(--fail)', 'max-size')),
    ...budgetBytes.map((bytes) => vertical(x.at(bytes), 'var(--accent)', 'budget')),
    horizontal(y.at(report.float.value), 'var(--soft)', 'float'),
    renderFront(measured, x, y),
    ...measured.map((point) => renderPoint(point, x, y)),
  ];
  const label = `${report.float.metric} against file size`;
  return `<svg class="pareto" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}" font-size="12">${parts.join('')}</svg>`;
}

/** What the gate allows at least or at most of the metric, and at most of bytes. */
function limitLines({ float, better, limits: { min, max, maxDrop, maxSizeBytes } }: ParetoReport) {
  const drop = maxDrop === undefined ? undefined : float.value + (better === 'lower' ? maxDrop : -maxDrop);
  const named = { min, max, 'max-drop': drop };
  const horizontal = Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
  return { horizontal, vertical: maxSizeBytes === undefined ? [] : [maxSizeBytes] };
}

type Axis = { at(value: number): number; readonly ticks: readonly number[] };

/** A little air around the values, and round ticks. */
function axis(values: readonly number[], from: number, to: number): Axis {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const air = most > least ? (most - least) * 0.08 : Math.abs(most) * 0.1 || 1;
  const [low, high] = [least - air, most + air];
  const step = roundStep((high - low) / 5);
  const first = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => (first + index) * step);
  return { at: (value) => from + ((to - from) * (value - low)) / (high - low), ticks };
}

/** 1, 2 or 5 times a power of ten, no less than wanted. */
function roundStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  return power * ([1, 2, 5].find((factor) => factor * power >= wanted) ?? 10);
}

function renderGrid(x: Axis, y: Axis, { float: { metric } }: ParetoReport): string {
  const { left, right, top, bottom } = FRAME;
  const columns = x.ticks.map(
    (tick) => `<text x="${coordinate(x.at(tick))}" y="${bottom + 18}" text-anchor="middle">${kilobytes(tick)}</text>`,
  );
  const rows = y.ticks.map((tick) => {
    const height = coordinate(y.at(tick));
    return `<path d="M${left} ${height}H${right}" stroke="var(--line)"/><text x="${left - 8}" y="${height}" dy="4" text-anchor="end">${metric === 'top1' || metric === 'top5' ? `${plain(100 * tick)} %` : plain(tick)}</text>`;
  });
  const names = `<text x="${(left + right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">size of the file, kB</text><text x="16" y="${(top + bottom) / 2}" text-anchor="middle" transform="rotate(-90 16 ${(top + bottom) / 2})">${metric === 'kl' ? 'kl, nats' : metric}</text>`;
  const frame = `<path d="M${left} ${top}V${bottom}H${right}" fill="none" stroke="var(--soft)"/>`;
  return `<g fill="var(--soft)">${rows.join('')}${columns.join('')}${names}</g>${frame}`;
}

function horizontal(y: number, colour: string, name: string): string {
  const place = coordinate(y);
  return `<path d="M${FRAME.left} ${place}H${FRAME.right}" stroke="${colour}" stroke-dasharray="5 4"/><text x="${FRAME.right}" y="${place}" dy="-5" text-anchor="end" fill="${colour}">${name}</text>`;
}

function vertical(x: number, colour: string, name: string): string {
  const place = coordinate(x);
  const side = x < (FRAME.left + FRAME.right) / 2 ? 'dx="5"' : 'dx="-5" text-anchor="end"';
  return `<path d="M${place} ${FRAME.top}V${FRAME.bottom}" stroke="${colour}" stroke-dasharray="5 4"/><text x="${place}" y="${FRAME.bottom - 8}" ${side} fill="${colour}">${name}</text>`;
}

/** A line through what nothing beats. */
function renderFront(points: readonly MeasuredPoint[], x: Axis, y: Axis): string {
  const front = points.filter(({ dominated }) => !dominated).toSorted((a, b) => a.sizeBytes - b.sizeBytes);
  const path = front.map(({ sizeBytes, value }) => `${coordinate(x.at(sizeBytes))} ${coordinate(y.at(value))}`);
  return path.length < 2 ? '' : `<path d="M${path.join('L')}" fill="none" stroke="var(--accent)" stroke-width="2"/>`;
}

function renderPoint({ sizeBytes, value, verdict, dominated }: MeasuredPoint, x: Axis, y: Axis): string {
  const place = `cx="${coordinate(x.at(sizeBytes))}" cy="${coordinate(y.at(value))}"`;
  const colour = `var(--${verdict})`;
  const look = dominated ? `r="5" fill="var(--card)" stroke="${colour}" stroke-width="2"` : `r="6" fill="${colour}"`;
  return `<circle ${place} ${look}/>`;
}

function kilobytes(bytes: number): string {
  return plain(bytes / 1000);
}

/** Ticks are round but for what doubles cannot hold. */
function plain(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function coordinate(value: number): string {
  return String(Number(value.toFixed(2)));
}
