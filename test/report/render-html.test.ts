import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/render-html.ts';
import { FULL, HOSTILE_NAMES, hostileReport, layersNamed, SPARE } from './reports.ts';

const VOID_ELEMENTS = ['meta', 'rect', 'circle', 'path', 'line'];

/** Names of elements in the order in which they open and close; throws where one closes that is not open. */
function elementsOf(html: string): readonly string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, slash, name] of html.replace('<!doctype html>', '').matchAll(/<(\/?)([a-z][a-z0-9]*)[^<>]*>/g)) {
    names.push(`${slash}${name}`);
    if (slash === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes what is not open`);
    } else if (!VOID_ELEMENTS.includes(name!)) open.push(name!);
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)}> is not closed`);
  return names;
}

/** What makes structure: angle brackets, quotes, line ends. */
function structureOf(html: string): string {
  return html.replaceAll(/[^<>"'\n]/g, '');
}

describe('renderHtml', () => {
  it('renderHtml: the verdict, every check, every layer and how to repeat the run', () => {
    const html = renderHtml(FULL);
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).toContain('<title>bitgate: FAIL, resnet20.onnx</title>');
    expect(html).toContain('<span class="verdict on-fail">FAIL</span>');
    for (const text of [
      '1 check of 5 failed',
      '131,000 bytes',
      'at most 125,000 bytes',
      '95 % interval 89.03 to 92.87 %',
      'about 4,300 samples like these would settle it (an estimate)',
      '<code>layer3.2.conv2</code>',
      '9,700',
      '2 bits: 1 layer, 9,700 bytes',
      'float: 1 layer, 2,560 bytes',
      'rank correlation 0.5',
      'calibration samples look like training samples',
      'bitgate run ci/bitgate.yml',
    ]) {
      expect(html).toContain(text);
    }
  });

  it('renderHtml: every element that opens closes', () => {
    expect(elementsOf(renderHtml(FULL)).length).toBeGreaterThan(100);
    expect(elementsOf(renderHtml(SPARE)).length).toBeGreaterThan(50);
  });

  it('renderHtml: nothing comes from outside, and a policy forbids it', () => {
    const html = renderHtml(FULL);
    expect(html).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"`,
    );
    expect(html).not.toMatch(/<script|<link|<img|<iframe|<object|@import|url\(|src=|href=|https?:|\son\w+=/i);
  });

  it('renderHtml: it follows the light or dark scheme of its reader', () => {
    expect(renderHtml(FULL)).toContain('color-scheme: light dark');
    expect(renderHtml(FULL)).toContain('@media (prefers-color-scheme: dark)');
  });

  it('renderHtml: a layer’s bar is as long as its share of the largest', () => {
    const allocation = [
      { layer: 'a', opType: 'Conv', weightCount: 1, bits: 3, bytes: 250 },
      { layer: 'b', opType: 'Conv', weightCount: 1, bits: 8, bytes: 1000 },
    ];
    const html = renderHtml({ ...FULL, allocation });
    expect(html).toContain('<rect width="25%" height="10" rx="3" fill="var(--w3)"/>');
    expect(html).toContain('<rect width="100%" height="10" rx="3" fill="var(--w8)"/>');
  });

  it('renderHtml: numbers that are not finite draw nothing wrong', () => {
    const interval = { lower: 0, upper: Number.POSITIVE_INFINITY, confidence: 0.95, method: 'bootstrap' } as const;
    const nan = { lower: Number.NaN, upper: Number.NaN, confidence: 0.95, method: 'wilson' } as const;
    const [check] = FULL.checks;
    const html = renderHtml({
      ...FULL,
      checks: [
        { ...check!, measured: Number.NaN, interval: nan },
        { ...check!, interval },
      ],
      selection: { candidates: Array(3).fill({ name: 'a', predicted: Number.NaN, measured: 1, chosen: false }) },
      timings: {},
      allocation: [],
    });
    expect(html).not.toMatch(/="[^"]*(?:NaN|Infinity)/);
    elementsOf(html);
  });

  it('renderHtml: 2,000 layers are all there', () => {
    const names = Array.from({ length: 2000 }, (_, index) => `conv${index}`);
    const html = renderHtml({ ...FULL, allocation: layersNamed(names) });
    expect(html.match(/<code>conv\d+<\/code>/g)).toHaveLength(2000);
  });

  it.each(HOSTILE_NAMES)('renderHtml: %j makes no structure', (name) => {
    const [html, plain] = [renderHtml(hostileReport(name)), renderHtml(hostileReport('x'))];
    expect(structureOf(html)).toBe(structureOf(plain));
    expect(elementsOf(html)).toEqual(elementsOf(plain));
    expect(html).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|##\[/u);
  });
});
