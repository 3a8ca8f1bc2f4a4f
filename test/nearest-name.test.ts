import { expect, it } from 'vitest';
import { nearestName } from '../src/nearest-name.ts';

it.each([
  ['bitz', ['bits', 'method'], 'bits'],
  ['modle', ['model', 'mode'], 'model'],
  ['quantise', ['quantize', 'sensitivity'], 'quantize'],
  ['Model', ['model'], 'model'],
  ['maxdrop', ['max', 'max-drop', 'max-size'], 'max-drop'],
  ['--bits-per-wieght', ['--bits-per-weight', '--size'], '--bits-per-weight'],
])('nearestName: %s among %j means %s', (found, names, expected) => {
  expect(nearestName(found, names)).toBe(expected);
});

it.each([
  ['foo', ['model', 'output', 'seed']],
  ['size', ['seed', 'bits']],
  ['', ['a']],
  ['x', ['y']],
  ['anything', []],
])('nearestName: %s is near none of %j', (found, names) => {
  expect(nearestName(found, names)).toBeUndefined();
});

it('nearestName: the nearer of two near names wins', () => {
  expect(nearestName('sample', ['simple', 'samples'])).toBe('simple');
  expect(nearestName('samples', ['simple', 'samples'])).toBe('samples');
});
