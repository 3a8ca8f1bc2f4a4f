/** Matrix products in float64 by the runtime: the arithmetic behind the quantizers of large layers. */
import { DATA_TYPE } from '../onnx/data-type.ts';
import { operator } from '../onnx/node-builders.ts';
import type { Matrix, MultiplyMatrices } from '../quantize/matrix-product.ts';
import type { OpenSession, Session } from '../runtime/session.ts';
import type { Tensor } from '../tensor.ts';
import { encodeModelProto, newGraph, newInput, newModel, newOpset, newOutput } from '../wire/model-proto.ts';

export type MatrixProduct = {
  readonly multiply: MultiplyMatrices;
  release(): Promise<void>;
};

/** Opset 13 with IR version 7: what every runtime since 2020 knows. */
const OPSET_VERSION = 13n;
const IR_VERSION = 7n;

/** The session is opened by the first product. The sums are in one order however many threads there are. */
export function createMatrixProduct(openSession: OpenSession): MatrixProduct {
  let session: Promise<Session> | undefined;
  return {
    multiply: async (left, right) => {
      session ??= openSession(productModel());
      const { product } = await (await session).run({ left: tensorOf(left), right: tensorOf(right) });
      return product!.data as Float64Array;
    },
    release: async () => (await session)?.release(),
  };
}

function productModel(): Uint8Array {
  const graph = newGraph({
    name: 'product',
    node: [operator('MatMul', ['left', 'right'], 'product')],
    input: [newInput('left', DATA_TYPE.float64), newInput('right', DATA_TYPE.float64)],
    output: [newOutput('product')],
  });
  return encodeModelProto(newModel({ irVersion: IR_VERSION, opsetImport: [newOpset('', OPSET_VERSION)], graph }));
}

function tensorOf({ values, rowCount, columnCount }: Matrix): Tensor {
  return { elementType: 'float64', dims: [rowCount, columnCount], data: values };
}
