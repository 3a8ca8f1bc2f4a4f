/** What a caller has to feed, and what comes back, as the graph declares it (onnx.proto, ValueInfoProto). */
import { UnsupportedModelError } from '../errors.ts';
import type { ElementType } from '../tensor.ts';
import type { ValueInfoProto } from '../wire/model-proto.ts';
import { dataTypeName, elementTypeOf } from './data-type.ts';
import type { Model } from './model.ts';

/** A declared input; dims that are free are undefined. */
export type ModelInput = {
  readonly name: string;
  readonly elementType: ElementType;
  readonly dims: readonly (number | undefined)[];
};

/**
 * The inputs that have no initializer, in the model's order.
 * @throws UnsupportedModelError if one is no tensor, or of a type that cannot be fed
 */
export function modelInputs(model: Model): ModelInput[] {
  const initialized = new Set(model.graph.initializer.map(({ name }) => name));
  return model.graph.input.filter(({ name }) => !initialized.has(name)).map((info) => describeInput(info, model.path));
}

function describeInput(info: ValueInfoProto, path: string): ModelInput {
  const tensor = info.type?.tensorType;
  const elementType = elementTypeOf(tensor?.elemType);
  if (tensor === undefined || elementType === undefined) {
    const found = tensor === undefined ? 'no tensor' : `a tensor of ${dataTypeName(tensor.elemType)}`;
    throw new UnsupportedModelError({
      what: `input '${info.name}' is ${found}`,
      where: path,
      fix: 'export the model with inputs that are tensors of floats, integers or booleans',
    });
  }
  return { name: info.name ?? '', elementType, dims: dimsOf(tensor.shape?.dim ?? []) };
}

type Dimension = { readonly value: { readonly case: string | undefined; readonly value?: unknown } };

function dimsOf(dims: readonly Dimension[]): (number | undefined)[] {
  return dims.map(({ value }) => {
    const size = value.case === 'dimValue' ? Number(value.value) : 0;
    // Some exporters write 0 or −1 for a free axis.
    return size > 0 ? size : undefined;
  });
}
