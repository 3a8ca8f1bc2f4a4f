import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { markDominated } from '../../src/report/mark-dominated.ts';
import type { MeasuredPoint, ParetoPoint, ParetoReport } from '../../src/report/pareto-report.ts';
import { renderPareto } from '../../src/report/render-pareto.ts';
import { renderParetoHtml } from '../../src/report/render-pareto-html.ts';
import { renderParetoJson } from '../../src/report/render-pareto-json.ts';
import { PARETO_REPORT } from '../entry/fakes.ts';
import { HOSTILE_NAMES } from './reports.ts';

const [POINT] = PARETO_REPORT.points as readonly [MeasuredPoint, ...ParetoPoint[]];
const INFEASIBLE = PARETO_REPORT.points[2]!;

function points(...sizesAndValues: readonly (readonly [sizeBytes: number, value: number])[]): MeasuredPoint[] {
  return sizesAndValues.map(([sizeBytes, value]) => ({ ...POINT, sizeBytes, value }));
}

describe('markDominated', () => {
  const marks = (found: readonly ParetoPoint[]) =>
    found.map((point) => (point.status === 'measured' ? point.dominated : undefined));

  it.each([
    [
      'larger and worse',
      'higher',
      [
        [10, 0.9],
        [20, 0.8],
      ],
      [false, true],
    ],
    [
      'larger and better',
      'higher',
      [
        [10, 0.8],
        [20, 0.9],
      ],
      [false, false],
    ],
    [
      'larger and as good',
      'higher',
      [
        [10, 0.9],
        [20, 0.9],
      ],
      [false, true],
    ],
    [
      'as large and worse',
      'higher',
      [
        [10, 0.9],
        [10, 0.8],
      ],
      [false, true],
    ],
    [
      'the same twice',
      'higher',
      [
        [10, 0.9],
        [10, 0.9],
      ],
      [false, false],
    ],
    [
      'larger, and less of a loss',
      'lower',
      [
        [10, 0.3],
        [20, 0.1],
        [30, 0.2],
      ],
      [false, false, true],
    ],
    [
      'not a number',
      'higher',
      [
        [10, Number.NaN],
        [20, 0.5],
        [20, Number.NaN],
      ],
      [false, false, true],
    ],
  ] as const)('markDominated: %s, where %s is better', (_, better, given, expected) => {
    expect(marks(markDominated(points(...given), better))).toEqual(expected);
  });

  it('markDominated: an infeasible budget stays as it is, and beats nothing', () => {
    expect(markDominated([INFEASIBLE, ...points([10, 0.5])], 'higher')).toEqual([INFEASIBLE, ...points([10, 0.5])]);
  });
});

describe('pareto.json', () => {
  it('renderParetoJson: keeps to its schema, also where a value is not a number', () => {
    const schema = JSON.parse(
      readFileSync(resolve(import.meta.dirname, '../../schemas/pareto.v1.schema.json'), 'utf8'),
    );
    const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile(schema);
    const broken = { ...POINT, value: Number.NaN, drop: Number.NaN };
    validate(JSON.parse(renderParetoJson({ ...PARETO_REPORT, points: [broken, ...PARETO_REPORT.points] })));
    expect(validate.errors).toBeNull();
    validate(JSON.parse(renderParetoJson({ ...PARETO_REPORT, points: [] })));
    expect(validate.errors).not.toBeNull();
  });
});

describe('pareto.html', () => {
  /** What is drawn of a report, in the picture alone. */
  const picture = (report: ParetoReport) => /<svg.*<\/svg>/s.exec(renderParetoHtml(report))?.[0] ?? '';

  it('renderParetoHtml: smaller files stand to the left, better values above; both axes and every limit have their names', () => {
    const svg = picture(PARETO_REPORT);
    const dots = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
    expect(dots).toHaveLength(2);
    const [small, large] = dots as [[number, number], [number, number]];
    expect(small[0]).toBeLessThan(large[0]);
    expect(small[1]).toBeLessThan(large[1]);
    for (const name of ['size of the file, kB', 'top1', 'float', 'min', 'max-drop', 'max-size', 'budget'])
      expect(svg).toContain(`>${name}</text>`);
  });

  it('renderParetoHtml: what is dominated is hollow, and not on the line', () => {
    const svg = picture(PARETO_REPORT);
    expect(svg.match(/<circle [^>]*r="5" fill="var\(--card\)"/g)).toHaveLength(1);
    expect(svg).not.toContain('stroke="var(--accent)" stroke-width="2"');
    const three = markDominated(points([10, 0.5], [20, 0.6], [30, 0.55]), 'higher');
    expect(picture({ ...PARETO_REPORT, points: three })).toMatch(
      /<path d="M[\d.]+ [\d.]+L[\d.]+ [\d.]+" fill="none" stroke="var\(--accent\)"/,
    );
  });

  it.each([
    ['one point', points([10, 0.5])],
    ['values that are all one', points([10, 0], [10, 0])],
    ['a value that is not a number', points([10, Number.NaN], [20, 0.5])],
    ['no value at all', points([10, Number.NaN])],
  ])('renderParetoHtml: %s leaves no number out of bounds', (_, given) => {
    expect(renderParetoHtml({ ...PARETO_REPORT, points: given })).not.toMatch(/NaN|Infinity|undefined/);
  });

  it.each(HOSTILE_NAMES)('renderParetoHtml and renderPareto: the file name %j is text', (name) => {
    const report = { ...PARETO_REPORT, model: { ...PARETO_REPORT.model, path: name }, warnings: [name] };
    expect(renderParetoHtml(report)).not.toMatch(/<(script|img|b)\b/);
    expect(renderParetoHtml(report)).not.toContain('\u001b');
    expect(renderPareto(report)).not.toContain('\u001b');
    expect(renderPareto(report)).not.toMatch(/^::|\r/m);
    expect(renderPareto(report).split('\n')).toHaveLength(8);
  });
});
