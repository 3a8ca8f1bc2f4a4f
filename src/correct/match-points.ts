/**
 * Where the output of a quantized layer is compared with the float network's.
 *
 * In a residual block the sum behind the shortcut is what later layers read, and matching it makes up for the error that the
 * shortcut carries too. With round to nearest at two bits this keeps markedly more accuracy than matching the convolution's own
 * output; with error feedback there is little left to make up for (docs/adr/0004-corrections.md).
 */
import { indexGraph } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import type { NodeProto } from '../wire/model-proto.ts';

export type MatchPoint = {
  /** The layer's output, behind the Add of its bias where that is a node of its own. */
  readonly output: string;
  /** Set when the sum of the output and `other` is compared; absent when the output itself is. */
  readonly sum?: { readonly output: string; readonly other: string };
};

/**
 * The match point of every layer that is corrected, by layer index. A layer of several nodes has several outputs, and one without
 * a bias has nothing to hold the shift: were it corrected here, later layers would be fitted to what is never written.
 */
export function matchPoints(model: Model, layers: readonly Layer[]): ReadonlyMap<number, MatchPoint> {
  const { consumers, initializers, outputNames } = indexGraph(model.graph);
  const onlyReader = (name: string): NodeProto | undefined => {
    const readers = consumers.get(name) ?? [];
    return readers.length === 1 && !outputNames.has(name) ? readers[0] : undefined;
  };
  const points = new Map<number, MatchPoint>();
  for (const [layerIndex, { nodes, opType, biasName }] of layers.entries()) {
    const [node, ...others] = nodes;
    if (others.length > 0 || biasName === undefined) continue;
    const made = node!.output[0]!;
    const output = opType === 'MatMul' ? onlyReader(made)!.output[0]! : made;
    const reader = onlyReader(output);
    const other = reader?.opType === 'Add' ? reader.input.find((name) => name !== output) : undefined;
    const isSum = other !== undefined && !initializers.has(other);
    points.set(layerIndex, isSum ? { output, sum: { output: reader!.output[0]!, other } } : { output });
  }
  return withoutRivals(points);
}

/** Of two layers that are added to each other only the later can match the sum, for which the earlier has to be finished. */
function withoutRivals(points: ReadonlyMap<number, MatchPoint>): ReadonlyMap<number, MatchPoint> {
  const lastOfSum = new Map([...points].map(([layerIndex, { sum }]) => [sum?.output, layerIndex]));
  return new Map(
    [...points].map(([layerIndex, point]) => {
      const isLast = point.sum === undefined || lastOfSum.get(point.sum.output) === layerIndex;
      return [layerIndex, isLast ? point : { output: point.output }];
    }),
  );
}
