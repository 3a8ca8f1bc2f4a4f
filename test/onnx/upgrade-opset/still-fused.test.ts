import { expect, it } from 'vitest';
import { upgradeOpset } from '../../../src/onnx/upgrade-opset/upgrade-opset.ts';
import { encodeModelProto } from '../../../src/wire/model-proto.ts';
import { optimisedOperators } from '../optimised-operators.ts';
import { decodeBuilt } from '../small-model.ts';
import { UPGRADE_CASES } from './cases.ts';

it('upgradeOpset: onnxruntime fuses an upgraded transformer block as it fuses the old one', async () => {
  const { parts } = UPGRADE_CASES.find(({ name }) => name.startsWith('a transformer block'))!;
  const model = await decodeBuilt(parts);
  const operators = await optimisedOperators(encodeModelProto(model.proto));
  expect(operators).toEqual(expect.arrayContaining(['Gelu', 'Gemm', 'LayerNormalization']));
  for (const target of [13, 21, 25]) {
    expect(await optimisedOperators(encodeModelProto(upgradeOpset(model, target).proto)), `opset ${target}`).toEqual(
      operators,
    );
  }
});
