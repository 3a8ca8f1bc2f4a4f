/** The only file that speaks to onnxruntime-node: sessions on one execution provider. */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { ExecutionProvider } from '../config/config.ts';
import { UserError } from '../errors.ts';
import type { ElementType, NamedTensors, Tensor, TensorData } from '../tensor.ts';
import { findOnnxruntime } from './find-onnxruntime.ts';
import type { OpenSession, Session } from './session.ts';

export type Onnxruntime = typeof import('onnxruntime-node');

const require = createRequire(import.meta.url);

/**
 * Load the package in a folder, which stays where it is: its native library finds its neighbours by its own place.
 *
 * @throws UserError if it cannot be loaded on this machine
 */
export function loadOnnxruntime(folder: string): Onnxruntime {
  try {
    return require(folder) as Onnxruntime;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    const fix = 'docs/self-hosted.md says what onnxruntime needs of a machine';
    throw new UserError({ what: `onnxruntime cannot be loaded: ${reason}`, where: folder, fix }, { cause });
  }
}

/** Sessions on `provider`. What it has no kernel for runs on the CPU, node by node, as onnxruntime places it. */
export function createOpenSession(library: Onnxruntime, provider: ExecutionProvider): OpenSession {
  return async (model, options = {}) => {
    const session = await library.InferenceSession.create(model, {
      executionProviders: [provider],
      // All optimisations, as a user would have them.
      graphOptimizationLevel: 'all',
      // Errors only: a warning of the optimizer is nothing a user can act on.
      logSeverityLevel: 3,
      // The runtime's own choice is one thread on some virtual machines of two cores, for nearly twice the time.
      intraOpNumThreads: options.threadCount ?? availableParallelism(),
    });
    return wrap(session, library);
  };
}

/** A session on the CPU, of the package that is found without being told where. For tests and benchmarks. */
export const openOnnxruntimeSession: OpenSession = (model, options) => {
  const { found } = findOnnxruntime();
  if (found === undefined) throw new Error('onnxruntime-node is not installed');
  return createOpenSession(loadOnnxruntime(found.folder), 'cpu')(model, options);
};

function wrap(session: InferenceSession, library: Onnxruntime): Session {
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: (feeds, outputs) => run(session, library, feeds, outputs ?? session.outputNames),
    release: () => session.release(),
  };
}

async function run(
  session: InferenceSession,
  library: Onnxruntime,
  feeds: NamedTensors,
  outputs: readonly string[],
): Promise<NamedTensors> {
  const ortFeeds = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor, library)]));
  const results = await session.run(ortFeeds, [...outputs]);
  return Object.fromEntries(outputs.map((name) => [name, fromOrt(results[name]!, name)]));
}

/**
 * Where JavaScript has a Float16Array (Node 24), the package makes one of bit patterns, and its native part takes the
 * size of that for 0 (microsoft/onnxruntime#32323); it reads `data`, and understands bit patterns.
 */
function toOrt({ elementType, data, dims }: Tensor, { Tensor }: Onnxruntime): OrtTensor {
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
