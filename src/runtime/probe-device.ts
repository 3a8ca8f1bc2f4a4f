/** Whether a device works here, found out by using it: what is bundled or installed says little about what runs. */
import { join } from 'node:path';
import type { ExecutionProvider } from '../config/config.ts';
import { isThere, libraryFolder } from './find-onnxruntime.ts';
import type { Onnxruntime } from './onnxruntime.ts';

/** y = MatMul(x, x), shape [n, n], opset 13. */
const MODEL = Buffer.from(
  'CAc6SAoRCgF4CgF4EgF5IgZNYXRNdWwSBXByb2JlWhUKAXgSEAoOCAESCgoDEgFuCgMSAW5iFQoBeRIQCg4IARIKCgMSAW4KAxIBbkICEA0=',
  'base64',
);

/** Large enough that a graphics card beats any processor, small enough that a software renderer answers in a second. */
const SIZE = 512;
/** The first runs compile kernels and take memory. */
const WARM_UP_RUNS = 2;
const TIMED_RUNS = 3;
/** x is 1/512 everywhere, so every element of the product is too, also in half precision. */
const VALUE = 1 / SIZE;

/**
 * Multiply two matrices on a device, and on no other.
 *
 * @returns the least milliseconds of a run
 * @throws Error if the device does not work, or multiplies wrongly
 */
export async function probeDevice(
  { InferenceSession, Tensor }: Onnxruntime,
  device: ExecutionProvider,
): Promise<number> {
  const session = await InferenceSession.create(MODEL, {
    executionProviders: [device],
    logSeverityLevel: 4,
    ...(device === 'cpu' ? {} : { extra: { session: { disable_cpu_ep_fallback: '1' } } }),
  });
  const x = new Tensor('float32', new Float32Array(SIZE * SIZE).fill(VALUE), [SIZE, SIZE]);
  let least = Number.POSITIVE_INFINITY;
  for (let count = 0; count < WARM_UP_RUNS + TIMED_RUNS; count++) {
    const begun = performance.now();
    const { y } = await session.run({ x });
    if (count >= WARM_UP_RUNS) least = Math.min(least, performance.now() - begun);
    assertProduct(y!.data as Float32Array);
  }
  await session.release();
  return least;
}

function assertProduct(product: Float32Array): void {
  const wrong = product.find((value) => !(Math.abs(value - VALUE) <= VALUE / 100));
  if (wrong !== undefined) throw new Error(`a product of matrices has ${wrong} where ${VALUE} is right`);
}

/** Libraries that onnxruntime-node does not carry; it looks for them beside its own. */
const PROVIDER_LIBRARIES: Readonly<Partial<Record<ExecutionProvider, string>>> = {
  cuda: 'onnxruntime_providers_cuda',
  tensorrt: 'onnxruntime_providers_tensorrt',
};

/** Why a device cannot work with the package in `folder`, as far as files tell; undefined when they do not rule it out. */
export function missingLibrary(folder: string, device: ExecutionProvider): string | undefined {
  const library = PROVIDER_LIBRARIES[device];
  if (library === undefined) return undefined;
  const file = process.platform === 'win32' ? `${library}.dll` : `lib${library}.so`;
  const beside = libraryFolder(folder);
  return isThere(join(beside, file)) ? undefined : `${file} is not in ${beside}`;
}
