import type { Model } from '../model.ts';

/** From IR version 4 an initializer need not be listed as an input (onnx.proto, Version). */
const FIRST_UNLISTED_IR_VERSION = 4n;

/**
 * **From** a graph whose inputs repeat its initializers (required before IR version 4, allowed after).
 * **To** a graph whose inputs are only what a caller must feed.
 * **Holds because** a listed initializer is merely the default of its input, and nobody overrides a weight that is about to
 * be quantized. It also lets the runtime treat the initializers as constants and fold them.
 */
export function unlistInitializers(model: Model): Model {
  const initialized = new Set(model.graph.initializer.map(({ name }) => name));
  const input = model.graph.input.filter(({ name }) => !initialized.has(name));
  if (input.length === model.graph.input.length) return model;
  const graph = { ...model.graph, input };
  const irVersion = model.proto.irVersion ?? 0n;
  const isOld = irVersion < FIRST_UNLISTED_IR_VERSION;
  return {
    ...model,
    graph,
    proto: { ...model.proto, graph, irVersion: isOld ? FIRST_UNLISTED_IR_VERSION : irVersion },
  };
}
