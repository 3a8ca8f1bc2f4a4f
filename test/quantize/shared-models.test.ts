import { describe, expect, it } from 'vitest';
import { loadBatches, loadPrepared, presentModels } from '../../bench/shared-models.ts';
import { calibrate } from '../../src/calibrate/calibrate.ts';
import { createMatrixProduct } from '../../src/calibrate/matrix-product.ts';
import { listLayers } from '../../src/onnx/list-layers.ts';
import { readFloats } from '../../src/onnx/tensor-values.ts';
import { outputErrors } from '../../src/quantize/output-errors.ts';
import { quantizeLayer } from '../../src/quantize/quantize-layer.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';

/** Errors of all channels together, as a share of those of round to nearest: how much is gained depends on the model. */
const CASES = [
  { name: 'resnet20', bitWidths: [2, 3, 4, 8], count: 64, most: { gptq: 0.25, gpfq: 0.35 } },
  { name: 'resnet32', bitWidths: [3], count: 64, most: { gptq: 0.25, gpfq: 0.35 } },
  { name: 'mobilenet', bitWidths: [4], count: 8, most: { gptq: 0.1, gpfq: 0.15 } },
  { name: 'ultraface', bitWidths: [4], count: 4, most: { gptq: 0.5, gpfq: 0.6 } },
].flatMap((settings) => presentModels(settings.name).map((shared) => ({ ...settings, shared })));

describe.skipIf(CASES.length === 0)('quantizeLayer on real models', () => {
  it.each(CASES)(
    'quantizeLayer: on $name no channel of any layer is worse by gptq or gpfq than by rtn, and all are far better together',
    async (settings) => {
      const { shared, bitWidths, count, most } = settings;
      const model = await loadPrepared(shared);
      const layers = listLayers(model);
      const initializers = new Map(model.graph.initializer.map((tensor) => [tensor.name, tensor]));
      const batches = await loadBatches(model, shared.calibration, shared.preprocess, { count, batchSize: 64 });
      const { multiply, release } = createMatrixProduct(openOnnxruntimeSession);
      const totals = { rtn: 0, gptq: 0, gpfq: 0 };
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
        const errorsOf = async (method: 'rtn' | 'gptq' | 'gpfq') => {
          const settings = { method, granularity: 'channel' } as const;
          const tensors = await quantizeLayer(weight, statistics, bitWidths, settings, multiply);
          return Promise.all(tensors.map((tensor) => outputErrors(weight, tensor, statistics, multiply)));
        };
        const [rtn, gptq, gpfq] = [await errorsOf('rtn'), await errorsOf('gptq'), await errorsOf('gpfq')];
        for (const [width, bitWidth] of bitWidths.entries()) {
          for (const [channel, error] of rtn[width]!.entries()) {
            const label = `channel ${channel} of ${name} at ${bitWidth} bits`;
            expect(gptq[width]![channel], label).toBeLessThanOrEqual(error * (1 + 1e-6));
            expect(gpfq[width]![channel], label).toBeLessThanOrEqual(error * (1 + 1e-6));
          }
        }
        const sum = (errors: readonly Float64Array[]) =>
          errors.reduce((total, own) => total + own.reduce((a, b) => a + b), 0);
        totals.rtn += sum(rtn);
        totals.gptq += sum(gptq);
        totals.gpfq += sum(gpfq);
      }
      await release();
      expect(totals.gptq).toBeLessThan(most.gptq * totals.rtn);
      expect(totals.gpfq).toBeLessThan(most.gpfq * totals.rtn);
    },
  );
});
