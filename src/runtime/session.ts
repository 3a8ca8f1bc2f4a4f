import type { NamedTensors } from '../tensor.ts';

/** A loaded model that runs; it holds native memory until it is released. */
export type Session = {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Runs the model once and returns every output, or only those named in `outputs`. */
  run(feeds: NamedTensors, outputs?: readonly string[]): Promise<NamedTensors>;
  release(): Promise<void>;
};

export type SessionOptions = {
  /** Threads inside one operator, the results being the same however many; one per core when absent. */
  readonly threadCount?: number;
};

/** Loads an encoded ONNX model. Injected everywhere, so that only `runtime/` knows onnxruntime. */
export type OpenSession = (model: Uint8Array, options?: SessionOptions) => Promise<Session>;
