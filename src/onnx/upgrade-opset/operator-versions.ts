/**
 * The operators of the default domain that an upgrade understands: for each the newest version up to opset 25 (ONNX 1.20,
 * docs/Changelog.md). Every step from opset 7 to that version has been read: it either has a rewrite in `rewrites.ts`, or
 * only adds element types, or optional attributes and inputs whose defaults are the old behaviour.
 */

/** The newest opset that this table was compared with. */
export const NEWEST_UNDERSTOOD_OPSET = 25;

// biome-ignore format: one line per letter is easier to compare with the changelog
export const OPERATOR_VERSIONS: ReadonlyMap<string, number> = new Map(Object.entries({
  Abs: 13, Acos: 22, Acosh: 22, Add: 14, AffineGrid: 20, And: 7, ArgMax: 13, ArgMin: 13, Asin: 22, Asinh: 22, Atan: 22, Atanh: 22, Attention: 25, AveragePool: 22,
  BatchNormalization: 15, BitShift: 11, BitwiseAnd: 18, BitwiseNot: 18, BitwiseOr: 18, BitwiseXor: 18,
  Cast: 25, CastLike: 25, Ceil: 13, Celu: 12, CenterCropPad: 18, Clip: 13, Col2Im: 18, Compress: 11, Concat: 13, ConcatFromSequence: 11, Constant: 25, ConstantOfShape: 25, Conv: 22, ConvInteger: 10, ConvTranspose: 22, Cos: 22, Cosh: 22, CumSum: 14,
  DeformConv: 22, DepthToSpace: 13, DequantizeLinear: 25, Det: 22, Div: 14, Dropout: 22, DynamicQuantizeLinear: 11,
  Einsum: 12, Elu: 22, Equal: 19, Erf: 13, Exp: 13, Expand: 13, EyeLike: 22,
  Flatten: 25, Floor: 13,
  GRU: 22, Gather: 13, GatherElements: 13, GatherND: 13, Gelu: 20, Gemm: 13, GlobalAveragePool: 22, GlobalLpPool: 22, GlobalMaxPool: 22, Greater: 13, GreaterOrEqual: 16, GridSample: 22, GroupNormalization: 21,
  HardSigmoid: 22, HardSwish: 22, Hardmax: 13,
  Identity: 25, If: 25, InstanceNormalization: 22, IsInf: 20, IsNaN: 20,
  LRN: 13, LSTM: 22, LayerNormalization: 17, LeakyRelu: 16, Less: 13, LessOrEqual: 16, Log: 13, LogSoftmax: 13, Loop: 25, LpNormalization: 22, LpPool: 22,
  MatMul: 13, MatMulInteger: 10, Max: 13, MaxPool: 22, MaxRoiPool: 22, MaxUnpool: 22, Mean: 13, MeanVarianceNormalization: 13, Min: 13, Mish: 22, Mod: 13, Mul: 14,
  Neg: 13, NonMaxSuppression: 11, NonZero: 13, Not: 1,
  OneHot: 11, Or: 7,
  PRelu: 16, Pad: 25, Pow: 15,
  QLinearConv: 10, QLinearMatMul: 21, QuantizeLinear: 25,
  RMSNormalization: 23, RNN: 22, Range: 11, Reciprocal: 13, ReduceL1: 18, ReduceL2: 18, ReduceLogSum: 18, ReduceLogSumExp: 18, ReduceMax: 20, ReduceMean: 18, ReduceMin: 20, ReduceProd: 18, ReduceSum: 13, ReduceSumSquare: 18, Relu: 14, Reshape: 25, Resize: 19, ReverseSequence: 10, RoiAlign: 22, RotaryEmbedding: 23, Round: 22,
  Scan: 25, Scatter: 11, ScatterElements: 18, ScatterND: 18, Selu: 22, SequenceAt: 11, SequenceConstruct: 11, SequenceEmpty: 11, SequenceErase: 11, SequenceInsert: 11, SequenceLength: 11, Shape: 25, Shrink: 9, Sigmoid: 13, Sign: 13, Sin: 22, Sinh: 22, Size: 25, Slice: 13, Softmax: 13, Softplus: 22, Softsign: 22, SpaceToDepth: 13, Split: 18, SplitToSequence: 24, Sqrt: 13, Squeeze: 25, Sub: 14, Sum: 13, Swish: 24,
  Tan: 22, Tanh: 13, ThresholdedRelu: 22, Tile: 13, TopK: 24, Transpose: 25, Trilu: 14,
  Unique: 11, Unsqueeze: 25, Upsample: 10,
  Where: 16,
  Xor: 7,
}));

/** The oldest IR version that may carry an opset, from the versions' table in onnx.proto and docs/Versioning.md. */
export function irVersionOf(opsetVersion: number): bigint {
  const row = IR_VERSIONS.find(([newestOpset]) => opsetVersion <= newestOpset);
  if (row === undefined) throw new RangeError(`no IR version is known for opset ${opsetVersion}`);
  return row[1];
}

/** [newest opset, IR version]. */
const IR_VERSIONS: readonly (readonly [number, bigint])[] = [
  [8, 3n],
  [9, 4n],
  [10, 5n],
  [11, 6n],
  [14, 7n],
  [18, 8n],
  [20, 9n],
  [22, 10n],
  [23, 11n],
  [24, 12n],
  [25, 13n],
];
