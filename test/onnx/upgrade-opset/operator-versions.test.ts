import { expect, it } from 'vitest';
import { NEWEST_UNDERSTOOD_OPSET, OPERATOR_VERSIONS } from '../../../src/onnx/upgrade-opset/operator-versions.ts';
import { rewritesOf } from '../../../src/onnx/upgrade-opset/rewrites.ts';

it('OPERATOR_VERSIONS: no operator is newer than the opset that the table was compared with', () => {
  const newest = Math.max(...OPERATOR_VERSIONS.values());
  expect(newest).toBe(NEWEST_UNDERSTOOD_OPSET);
});

it('rewritesOf: every rewrite crosses a version that the table knows, oldest first', () => {
  const versions = [...OPERATOR_VERSIONS].map(([opType, newest]) => ({
    newest,
    crossed: rewritesOf(opType).map(({ version }) => version),
  }));
  expect(versions.filter(({ crossed }) => crossed.length > 0).length).toBeGreaterThan(20);
  for (const { newest, crossed } of versions) {
    expect(crossed).toEqual([...crossed].sort((a, b) => a - b));
    expect(Math.max(0, ...crossed)).toBeLessThanOrEqual(newest);
  }
});
