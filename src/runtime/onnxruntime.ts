/** The only importer of onnxruntime-node: sessions on the CPU execution provider. */
import { createRequire } from 'node:module';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { ElementType, NamedTensors, Tensor, TensorData } from '../tensor.ts';
import type { Session, SessionOptions } from './session.ts';

type Onnxruntime = typeof import('onnxruntime-node');

/** Resolved at run time, because the native library has to stay where its package put it and cannot be bundled. */
const PACKAGE = 'onnxruntime-node';
const load = createRequire(import.meta.url);

let loaded: Onnxruntime | undefined;

function onnxruntime(): Onnxruntime {
  loaded ??= load(PACKAGE) as Onnxruntime;
  return loaded;
}

export const EXECUTION_PROVIDER = 'cpu';

/** The version that runs, from the package itself. */
export function onnxruntimeVersion(): string {
  return onnxruntime().env.versions.node ?? 'unknown';
}

/** Load an encoded model with all graph optimisations, as a user would; see OpenSession. */
export async function openOnnxruntimeSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const session = await onnxruntime().InferenceSession.create(model, {
    executionProviders: [EXECUTION_PROVIDER],
    graphOptimizationLevel: 'all',
    // Errors only: a warning of the optimizer is nothing a user can act on.
    logSeverityLevel: 3,
    ...(options.threadCount === undefined ? {} : { intraOpNumThreads: options.threadCount }),
  });
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: (feeds, outputs) => run(session, feeds, outputs ?? session.outputNames),
    release: () => session.release(),
  };
}

async function run(session: InferenceSession, feeds: NamedTensors, outputs: readonly string[]): Promise<NamedTensors> {
  const ortFeeds = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor)]));
  const results = await session.run(ortFeeds, [...outputs]);
  return Object.fromEntries(outputs.map((name) => [name, fromOrt(results[name]!, name)]));
}

/**
 * Where JavaScript has a Float16Array (Node 24), the package makes one of bit patterns, and its native part takes the
 * size of that for 0 (microsoft/onnxruntime#32323); it reads `data`, and understands bit patterns.
 */
function toOrt({ elementType, data, dims }: Tensor): OrtTensor {
  const { Tensor } = onnxruntime();
  const tensor = new Tensor(elementType, data as never, dims as number[]);
  if (elementType === 'float16') Object.defineProperty(tensor, 'data', { value: data });
  return tensor;
}

function fromOrt({ type, data, dims }: OrtTensor, name: string): Tensor {
  if (!READABLE.has(type)) throw new Error(`output '${name}' is ${type}, which is not a numeric tensor`);
  if (type === 'float16') {
    const { buffer, byteOffset, length } = data as unknown as Uint16Array;
    return { elementType: type, dims, data: new Uint16Array(buffer, byteOffset, length) };
  }
  return { elementType: type as ElementType, dims, data: data as unknown as TensorData };
}

const READABLE: ReadonlySet<string> = new Set<ElementType>([
  'float32',
  'float64',
  'float16',
  'uint8',
  'int8',
  'int32',
  'int64',
  'bool',
]);
