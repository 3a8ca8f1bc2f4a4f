import { type Model, withGraph } from '../model.ts';

/**
 * **From** a graph whose inputs repeat its initializers (required before IR version 4, allowed after).
 * **To** a graph whose inputs are only what a caller must feed.
 * **Holds because** a listed initializer is merely the default of its input, and nobody overrides a weight that is about to
 * be quantized. It also lets the runtime treat the initializers as constants and fold them.
 */
export function unlistInitializers(model: Model): Model {
  const initialized = new Set(model.graph.initializer.map(({ name }) => name));
  const input = model.graph.input.filter(({ name }) => !initialized.has(name));
  return withGraph(model, { ...model.graph, input });
}
