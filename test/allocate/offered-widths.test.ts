import { describe, expect, it } from 'vitest';
import { offeredWidths, tiedLayers } from '../../src/allocate/offered-widths.ts';

const NAMES = ['conv1', 'layer1.0.conv1', 'layer1.0.conv2', 'head'];

function widths(pins: { pattern: string; bitWidth: number | 'float' }[]) {
  return offeredWidths(NAMES, { bitWidths: [2, 4], pins }, 'bitgate.yml');
}

describe('offeredWidths', () => {
  it('offers every width to a layer without a pin', () => {
    expect(widths([])).toEqual([
      [2, 4],
      [2, 4],
      [2, 4],
      [2, 4],
    ]);
  });

  it('fixes a layer by its name, to a width or to float', () => {
    expect(
      widths([
        { pattern: 'conv1', bitWidth: 8 },
        { pattern: 'head', bitWidth: 'float' },
      ]),
    ).toEqual([[8], [2, 4], [2, 4], ['float']]);
  });

  it('matches globs whole, and dots as dots', () => {
    expect(widths([{ pattern: 'layer1.*.conv?', bitWidth: 3 }])).toEqual([[2, 4], [3], [3], [2, 4]]);
    expect(() => widths([{ pattern: 'layer1.0.conv', bitWidth: 3 }])).toThrow();
    expect(() => widths([{ pattern: 'conv.', bitWidth: 3 }])).toThrow();
  });

  it('takes the first pin that matches', () => {
    const pins = [
      { pattern: 'layer1.0.conv2', bitWidth: 8 },
      { pattern: 'layer1*', bitWidth: 3 },
    ];
    expect(widths(pins)).toEqual([[2, 4], [3], [8], [2, 4]]);
  });

  it('refuses a pin that names no layer, and suggests the nearest', () => {
    expect(() => widths([{ pattern: 'conv2', bitWidth: 8 }])).toThrow(
      "bitgate.yml: quantize.pin names 'conv2', but no layer is called so; did you mean 'conv1'?\n  fix: see `bitgate inspect` for the names of the layers",
    );
  });
});

describe('tiedLayers', () => {
  const tied = (ties: string[][], offered = NAMES.map(() => [2, 4])) => tiedLayers(NAMES, offered, ties, 'bitgate.yml');

  it('finds the layers of every tie, by name and glob', () => {
    expect(tied([['layer1.*'], ['conv1', 'head']])).toEqual([
      [1, 2],
      [0, 3],
    ]);
  });

  it.each([
    ['a tie that matches nothing', [['none']], 'bitgate.yml: quantize.tie [none] matches no layer'],
    [
      'a layer in two ties',
      [['conv1', 'head'], ['head']],
      "quantize.tie [head] ties 'head', which another tie holds already",
    ],
  ])('refuses %s', (_, ties, message) => {
    expect(() => tied(ties)).toThrow(message);
  });

  it('refuses tied layers that are pinned apart', () => {
    expect(() => tied([['conv1', 'head']], [[2], [2, 4], [2, 4], [8]])).toThrow(
      'quantize.tie [conv1, head] holds layers that have no width in common, because their widths are fixed apart',
    );
  });
});
