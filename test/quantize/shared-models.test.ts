import { describe, expect, it } from 'vitest';
import { loadBatches, loadPrepared, presentModels } from '../../bench/shared-models.ts';
import { calibrate } from '../../src/calibrate/calibrate.ts';
import { createMatrixProduct } from '../../src/calibrate/matrix-product.ts';
import { listLayers } from '../../src/onnx/list-layers.ts';
import { readFloats } from '../../src/onnx/tensor-values.ts';
import { outputErrors } from '../../src/quantize/output-errors.ts';
import { type QuantizeMethod, quantizeLayer } from '../../src/quantize/quantize-layer.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';

/**
 * The most that the errors of all channels together may be, as a share of those of round to nearest: how much is gained depends
 * on the model.
 */
const CASES = [
  { name: 'resnet20', bitWidths: [2, 3, 4, 8], count: 64, most: { gptq: 0.25, gpfq: 0.35 } },
  { name: 'resnet32', bitWidths: [3], count: 64, most: { gptq: 0.25 } },
  { name: 'mobilenet', bitWidths: [4], count: 8, most: { gptq: 0.1 } },
  { name: 'ultraface', bitWidths: [4], count: 4, most: { gptq: 0.5 } },
].flatMap((settings) => presentModels(settings.name).map((shared) => ({ ...settings, shared })));

describe.skipIf(CASES.length === 0)('quantizeLayer on real models', () => {
  it.each(CASES)(
    'quantizeLayer: on $name no channel of any layer is worse with error feedback than by rtn, and all are far better together',
    async ({ shared, bitWidths, count, most }) => {
      const model = await loadPrepared(shared);
      const layers = listLayers(model);
      const initializers = new Map(model.graph.initializer.map((tensor) => [tensor.name, tensor]));
      const batches = await loadBatches(model, shared.calibration, shared.preprocess, { count, batchSize: 64 });
      const { multiply, release } = createMatrixProduct(openOnnxruntimeSession);
      const methods = ['rtn', ...Object.keys(most)] as QuantizeMethod[];
      const totals = new Map(methods.map((method) => [method, 0]));
      const calibration = calibrate({
        model,
        layers,
        batches,
        openSession: openOnnxruntimeSession,
        memoryLimitBytes: 256e6,
        reportProgress: () => undefined,
      });
      for await (const { layerIndex, statistics } of calibration) {
        const { dims, channelAxis, weightName, name } = layers[layerIndex]!;
        const weight = { values: readFloats(initializers.get(weightName)!, ''), dims, channelAxis };
        let nearest: Float64Array[] = [];
        for (const method of methods) {
          const tensors = await quantizeLayer(
            weight,
            statistics,
            bitWidths,
            { method, granularity: 'channel' },
            multiply,
          );
          const errors = await Promise.all(tensors.map((tensor) => outputErrors(weight, tensor, statistics, multiply)));
          if (method === 'rtn') nearest = errors;
          for (const [width, bitWidth] of bitWidths.entries()) {
            for (const [channel, error] of errors[width]!.entries()) {
              const label = `channel ${channel} of ${name} at ${bitWidth} bits by ${method}`;
              expect(error, label).toBeLessThanOrEqual(nearest[width]![channel]! * (1 + 1e-6));
            }
            totals.set(method, totals.get(method)! + errors[width]!.reduce((a, b) => a + b, 0));
          }
        }
      }
      await release();
      for (const [method, share] of Object.entries(most)) {
        expect(totals.get(method as QuantizeMethod), method).toBeLessThan(share * totals.get('rtn')!);
      }
    },
  );
});
