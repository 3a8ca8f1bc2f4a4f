import { describe, expect, it } from 'vitest';
import { findConfigWarnings } from '../../src/config/config-warnings.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { type ModelFacts, renderStarterConfig } from '../../src/config/starter-config.ts';

const FACTS: ModelFacts = {
  modelPath: 'models/net.v2.onnx',
  sizeBytes: 1_094_321,
  inputs: [{ name: 'images', elementType: 'float32', dims: [undefined, 3, 32, 32] }],
  layerCount: 20,
  weightCount: 268_336,
};

describe('renderStarterConfig', () => {
  it('renderStarterConfig: the text is a valid config for the model', () => {
    const config = parseConfig(renderStarterConfig(FACTS), '/w/bitgate.yml');
    expect(config).toMatchObject({
      modelPath: '/w/models/net.v2.onnx',
      outputPath: '/w/build/net.v2.quant.onnx',
      budget: { kind: 'bits-per-weight', bitsPerWeight: 4 },
      data: { preprocess: { scale: 255, layout: 'nchw' } },
      gate: { metric: 'top1', maxDrop: 0.01 },
    });
    expect(findConfigWarnings(config)).toEqual([]);
  });

  it('renderStarterConfig: it tells what is known of the model', () => {
    const text = renderStarterConfig(FACTS);
    expect(text).toContain(
      '# "models/net.v2.onnx": 1094321 bytes, 20 layers with 268336 weights that can be quantized',
    );
    expect(text).toContain('#   input "images": float32 [free, 3, 32, 32]');
  });

  it('renderStarterConfig: an input with channels last is nhwc', () => {
    const inputs = [{ name: 'x', elementType: 'float32', dims: [1, 224, 224, 3] }];
    expect(parseConfig(renderStarterConfig({ ...FACTS, inputs }), '/w/b.yml').data.preprocess.layout).toBe('nhwc');
  });

  it('renderStarterConfig: no name from the model can break out of its comment', () => {
    const inputs = [{ name: 'x\nseed: 5 # "', elementType: 'float32', dims: [1] }];
    const text = renderStarterConfig({ ...FACTS, modelPath: 'a "b": #c.onnx', inputs });
    expect(parseConfig(text, '/w/b.yml')).toMatchObject({ modelPath: '/w/a "b": #c.onnx', seed: 0 });
  });
});

describe('findConfigWarnings', () => {
  const text = (gate: string) =>
    renderStarterConfig(FACTS).replace(/gate:[\s\S]*/, gate === '' ? '' : `gate: ${gate}\n`);

  it('findConfigWarnings: a gate without a limit on accuracy is named', () => {
    expect(findConfigWarnings(parseConfig(text(''), '/w/b.yml'))).toEqual([
      'no limit on top1 is set, so the gate checks the size alone; set `min` or `max-drop` under `gate`',
    ]);
    expect(findConfigWarnings(parseConfig(text('{ metric: kl, max-size: 3 KB }'), '/w/b.yml'))).toEqual([
      'no limit on kl is set, so the gate checks the size alone; set `max` or `max-drop` under `gate`',
    ]);
  });

  it('findConfigWarnings: a verdict that cannot be inconclusive is named', () => {
    expect(findConfigWarnings(parseConfig(text('{ min: 0.9, inconclusive: warn }'), '/w/b.yml'))).toEqual([
      '`gate.inconclusive` changes nothing without `gate.confidence`: measured values are never inconclusive',
    ]);
    const decided = text('{ min: 0.9, inconclusive: warn, confidence: 0.9 }');
    expect(findConfigWarnings(parseConfig(decided, '/w/b.yml'))).toEqual([]);
  });

  it.each(['{ min: 0 }', '{ max-drop: 0 }', '{ metric: kl, max: 0 }', '{ warn: { min: 0.9 } }'])(
    'findConfigWarnings: a limit of zero in %s is a limit',
    (gate) => {
      expect(findConfigWarnings(parseConfig(text(gate), '/w/b.yml'))).toEqual([]);
    },
  );
});
