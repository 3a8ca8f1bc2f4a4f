/**
 * Element types and ranks of values, from what the graph declares and, where it declares nothing, from the operators that make
 * them. Only what follows without doubt; a rewrite that must know more refuses.
 */
import type { NodeProto, TensorProto, ValueInfoProto } from '../../wire/model-proto.ts';
import { DATA_TYPE } from '../data-type.ts';
import { attributeOf } from '../graph-index.ts';

export type ValueFacts = {
  elementType(value: string): number | undefined;
  rank(value: string): number | undefined;
  constantTensor(value: string): TensorProto | undefined;
};

/** What a graph or a function body says of its values; lists a function does not have are empty. */
export type FactSources = {
  /** In topological order. */
  readonly nodes: readonly NodeProto[];
  readonly declarations: readonly ValueInfoProto[];
  readonly initializers: readonly TensorProto[];
  /** The surrounding graph, whose values a subgraph may read. */
  readonly outer: ValueFacts | undefined;
};

/** Facts from one walk over the nodes, made when the first question is asked. */
export function valueFacts(sources: FactSources): ValueFacts {
  let walked: Walked | undefined;
  const known = () => {
    walked ??= walk(sources);
    return walked;
  };
  const { outer } = sources;
  return {
    elementType: (value) => (known().own.has(value) ? known().types.get(value) : outer?.elementType(value)),
    rank: (value) => (known().own.has(value) ? known().ranks.get(value) : outer?.rank(value)),
    constantTensor: (value) => (known().own.has(value) ? known().constants.get(value) : outer?.constantTensor(value)),
  };
}

type Walked = {
  /** The values that the graph itself holds; any other is looked for outside. */
  readonly own: Set<string>;
  readonly types: Map<string, number>;
  readonly ranks: Map<string, number>;
  readonly constants: Map<string, TensorProto>;
};

function walk(sources: FactSources): Walked {
  const walked: Walked = { own: new Set(), types: new Map(), ranks: new Map(), constants: new Map() };
  for (const { name, type } of sources.declarations) {
    const { elemType, shape } = type?.tensorType ?? {};
    note(walked, name ?? '', elemType || undefined, shape?.dim.length);
  }
  for (const tensor of sources.initializers) noteConstant(walked, tensor.name ?? '', tensor);
  for (const node of sources.nodes) noteOutputs(walked, node, sources.outer);
  return walked;
}

function note({ own, types, ranks }: Walked, value: string, type: number | undefined, rank: number | undefined): void {
  own.add(value);
  if (type !== undefined && !types.has(value)) types.set(value, type);
  if (rank !== undefined && !ranks.has(value)) ranks.set(value, rank);
}

function noteConstant(walked: Walked, value: string, tensor: TensorProto): void {
  note(walked, value, tensor.dataType, tensor.dims.length);
  walked.constants.set(value, tensor);
}

function noteOutputs(walked: Walked, node: NodeProto, outer: ValueFacts | undefined): void {
  const { own, types, ranks, constants } = walked;
  const inputs: Inputs = {
    elementType: (index) => lookUp(node.input[index] ?? '', own, types, outer?.elementType),
    rank: (index) => lookUp(node.input[index] ?? '', own, ranks, outer?.rank),
    constantTensor: (index) => lookUp(node.input[index] ?? '', own, constants, outer?.constantTensor),
  };
  const isStandard = (node.domain ?? '') === '';
  for (const [index, value] of node.output.entries()) {
    if (value === '') continue;
    note(
      walked,
      value,
      isStandard ? madeType(node, index, inputs) : undefined,
      isStandard ? madeRank(node, inputs) : undefined,
    );
  }
  const constant = isStandard && node.opType === 'Constant' ? attributeOf(node, 'value')?.t : undefined;
  if (constant !== undefined) noteConstant(walked, node.output[0] ?? '', constant);
}

function lookUp<T>(
  value: string,
  own: ReadonlySet<string>,
  found: ReadonlyMap<string, T>,
  outer: ((value: string) => T | undefined) | undefined,
): T | undefined {
  return own.has(value) ? found.get(value) : outer?.(value);
}

/** What is known of a node's inputs, by position. */
type Inputs = {
  elementType(index: number): number | undefined;
  rank(index: number): number | undefined;
  constantTensor(index: number): TensorProto | undefined;
};

const MAKES_BOOL = setOf('And Or Xor Not Equal Greater GreaterOrEqual Less LessOrEqual IsInf IsNaN');

const MAKES_INT64 = setOf('Shape Size NonZero ArgMax ArgMin NonMaxSuppression');

/** Operators whose first output (of Split every output) has the element type of the first input. */
const KEEPS_TYPE = setOf(`
  Abs Add AveragePool BatchNormalization Ceil Clip Concat Conv ConvTranspose DepthToSpace Div Dropout Elu Erf Exp Expand Flatten
  Floor Gather GatherElements GatherND Gemm GlobalAveragePool GlobalMaxPool HardSigmoid Hardmax Identity InstanceNormalization LRN
  LeakyRelu Log LogSoftmax LpNormalization MatMul Max MaxPool Mean Min Mod Mul Neg PRelu Pad Pow Reciprocal ReduceL1 ReduceL2
  ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round
  Scatter ScatterElements ScatterND Selu Shrink Sigmoid Sign Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub
  Sum Tanh ThresholdedRelu Tile TopK Transpose Unsqueeze Upsample`);

function madeType(node: NodeProto, outputIndex: number, inputs: Inputs): number | undefined {
  const opType = node.opType ?? '';
  if (opType === 'Cast') return Number(attributeOf(node, 'to')?.i ?? 0) || undefined;
  if (opType === 'ConstantOfShape') return attributeOf(node, 'value')?.t?.dataType ?? DATA_TYPE.float32;
  if (opType === 'Where') return inputs.elementType(1);
  if (MAKES_BOOL.has(opType)) return DATA_TYPE.bool;
  if (MAKES_INT64.has(opType)) return DATA_TYPE.int64;
  return KEEPS_TYPE.has(opType) && (outputIndex === 0 || opType === 'Split') ? inputs.elementType(0) : undefined;
}

/** Operators whose outputs have as many axes as their first input. */
const KEEPS_RANK = setOf(`
  Abs AveragePool BatchNormalization Cast Ceil Clip Concat Conv ConvTranspose Dropout Elu Erf Exp Floor GlobalAveragePool
  GlobalMaxPool HardSigmoid Identity InstanceNormalization LRN LeakyRelu Log LogSoftmax LpNormalization MaxPool Neg PRelu Pad
  Reciprocal Relu Selu Sigmoid Slice Softmax Softplus Softsign Split Sqrt Tanh Tile Transpose Upsample`);

/** Operators that broadcast their inputs against each other. */
const BROADCASTS = setOf('Add Div Max Mean Min Mul Pow Sub Sum Where');

function madeRank(node: NodeProto, inputs: Inputs): number | undefined {
  const opType = node.opType ?? '';
  if (opType === 'Gemm' || opType === 'Flatten') return 2;
  if (opType === 'Reshape') return Number(inputs.constantTensor(1)?.dims[0] ?? 0) || undefined;
  if (KEEPS_RANK.has(opType)) return inputs.rank(0);
  if (!BROADCASTS.has(opType) && opType !== 'MatMul') return undefined;
  const ranks = node.input.map((_, index) => inputs.rank(index));
  const isKnown = ranks.every((rank) => rank !== undefined && (opType !== 'MatMul' || rank >= 2));
  return isKnown ? Math.max(...(ranks as number[])) : undefined;
}

function setOf(names: string): ReadonlySet<string> {
  return new Set(names.trim().split(/\s+/));
}
