import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { presentModels } from '../../bench/shared-models.ts';
import {
  decodeModelProto,
  encodeModelProto,
  functionFieldSize,
  initializerFieldSize,
  type ModelProto,
  measureModel,
  modelSize,
  newFunction,
  newTensor,
  nodeFieldSize,
} from '../../src/wire/model-proto.ts';
import { attribute, buildGraph, buildModel, node, value, weight } from '../onnx/small-model.ts';
import { bytesField, concat, field, hex, packed, varintField } from './wire-bytes.ts';

describe('decodeModelProto, encodeModelProto', () => {
  it.each(presentModels())('encodeModelProto: gives back the bytes of $name', ({ path }) => {
    const bytes = new Uint8Array(readFileSync(path));
    expect(Buffer.compare(encodeModelProto(decodeModelProto(bytes)), bytes)).toBe(0);
  });

  it('encodeModelProto: gives back every field that onnx.proto of this folder lists', () => {
    const bytes = concat(
      varintField(1, 8),
      field(2, 'producer'),
      field(3, '1.0'),
      field(4, 'domain'),
      varintField(5, 3),
      field(6, 'doc'),
      bytesField(7, everyGraphField()),
      bytesField(8, concat(field(1, 'ai.onnx.ml'), varintField(2, 3))),
      bytesField(14, concat(field(1, 'key'), field(2, 'value'))),
      bytesField(25, concat(field(1, 'f'), field(4, 'x'), field(5, 'y'), field(6, 'alpha'), field(10, 'local'))),
    );
    const model = decodeModelProto(bytes);
    expect(model.$unknown).toBeUndefined();
    expect(hex(encodeModelProto(model))).toBe(hex(bytes));
  });

  it('encodeModelProto: a zero that was written is written again, one that was not is not', () => {
    const zeros = concat(varintField(1, 0), field(2, ''), bytesField(7, bytesField(5, varintField(2, 0))));
    expect(hex(encodeModelProto(decodeModelProto(zeros)))).toBe(hex(zeros));
    expect(decodeModelProto(bytesField(7, new Uint8Array())).irVersion).toBeUndefined();
  });

  it.each(placesOfUnknownFields())('encodeModelProto: unknown fields of %s survive', (_, wrap) => {
    // What 500 to 503 mean is unknown to every schema: a number, a double, a message, a float.
    const unknown = concat(
      varintField(500, 7),
      Uint8Array.of(...tagBytes(501, 1), 1, 2, 3, 4, 5, 6, 7, 8),
      field(502, 'later'),
      Uint8Array.of(...tagBytes(503, 5), 1, 2, 3, 4),
    );
    const bytes = wrap(unknown);
    expect(hex(encodeModelProto(decodeModelProto(bytes)))).toBe(hex(bytes));
  });

  it('encodeModelProto: an unknown field between known ones moves behind them and keeps its bytes', () => {
    const bytes = concat(varintField(1, 8), field(20, 'training info'), varintField(5, 1));
    const encoded = encodeModelProto(decodeModelProto(bytes));
    expect(hex(encoded)).toBe(hex(concat(varintField(1, 8), varintField(5, 1), field(20, 'training info'))));
    expect(decodeModelProto(encoded)).toEqual(decodeModelProto(bytes));
  });

  it('decodeModelProto: reads lists of numbers packed and unpacked', () => {
    const unpacked = concat(varintField(1, 2), varintField(1, 3));
    const dimsOf = (tensor: Uint8Array) =>
      decodeModelProto(bytesField(7, bytesField(5, tensor))).graph?.initializer[0]?.dims;
    expect(dimsOf(unpacked)).toEqual([2n, 3n]);
    expect(dimsOf(bytesField(1, packed([2, 3])))).toEqual([2n, 3n]);
  });

  it('decodeModelProto: raw_data is a view of the file, not a copy', () => {
    const bytes = encodeModelProto(buildModel({ nodes: [], initializers: [weight('w', [4], 1)] }));
    const [tensor] = decodeModelProto(bytes).graph!.initializer;
    expect(tensor!.rawData!.buffer).toBe(bytes.buffer);
    expect(tensor!.rawData).toHaveLength(16);
  });

  it('decodeModelProto: a field that says it is longer than the file is refused without taking memory', () => {
    // raw_data of 2^31 − 1 bytes in a model of a few.
    const declared = Uint8Array.of(0x4a, 0xff, 0xff, 0xff, 0xff, 0x07, 1, 2, 3);
    expect(() => decodeModelProto(bytesField(7, bytesField(5, declared)))).toThrow('premature EOF');
  });

  it('decodeModelProto: messages nested deeper than a stack could take are refused', () => {
    let graph: Uint8Array = new Uint8Array();
    for (let depth = 0; depth < 40; depth++) graph = bytesField(1, bytesField(5, bytesField(6, graph)));
    expect(() => decodeModelProto(bytesField(7, graph))).toThrow('maximum recursion depth of 100 reached');
  });
});

/** One of each field of a graph and of the messages in it, in the order of their numbers. */
function everyGraphField(): Uint8Array {
  const entry = concat(field(1, 'location'), field(2, 'w.bin'));
  const tensor = concat(
    concat(varintField(1, 1), varintField(1, 2), varintField(2, 1)),
    bytesField(4, Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 64)),
    bytesField(5, packed([1, 2])),
    field(6, 'text'),
    bytesField(7, packed([3])),
    field(8, 'w'),
    bytesField(9, Uint8Array.of(1, 2, 3, 4)),
    bytesField(10, new Uint8Array(8)),
    bytesField(11, packed([5])),
    field(12, 'doc'),
    bytesField(13, entry),
    varintField(14, 1),
  );
  const floatOne = (number: number) => Uint8Array.of(...tagBytes(number, 5), 0, 0, 128, 63);
  const everyAttribute = concat(
    field(1, 'a'),
    floatOne(2),
    varintField(3, 4),
    field(4, 's'),
    bytesField(5, tensor),
    bytesField(6, field(2, 'sub')),
    concat(floatOne(7), floatOne(7), varintField(8, 1), varintField(8, 2), field(9, 'x'), bytesField(10, tensor)),
    bytesField(11, field(2, 'sub')),
    field(13, 'doc'),
    varintField(20, 1),
    field(21, 'alpha'),
  );
  const everyNode = concat(
    field(1, 'x'),
    field(1, ''),
    field(2, 'y'),
    field(3, 'n'),
    field(4, 'Conv'),
    bytesField(5, everyAttribute),
    field(6, 'doc'),
    field(7, 'local'),
  );
  const shape = concat(
    bytesField(1, concat(varintField(1, 3), field(3, 'CHANNEL'))),
    bytesField(1, field(2, 'batch')),
    bytesField(1, new Uint8Array()),
  );
  const type = concat(bytesField(1, concat(varintField(1, 1), bytesField(2, shape))), field(6, 'IMAGE'));
  const info = concat(field(1, 'x'), bytesField(2, type), field(3, 'doc'));
  return concat(
    bytesField(1, everyNode),
    field(2, 'g'),
    bytesField(5, tensor),
    field(10, 'doc'),
    ...[11, 12, 13].map((number) => bytesField(number, info)),
  );
}

/** Where an unknown field may stand: each message, and how it is wrapped to a model. */
function placesOfUnknownFields(): [string, (content: Uint8Array) => Uint8Array][] {
  const within =
    (...numbers: number[]) =>
    (content: Uint8Array) =>
      numbers.reduceRight((inner, number) => bytesField(number, inner), content);
  return [
    ['ModelProto', within()],
    ['OperatorSetIdProto', within(8)],
    ['StringStringEntryProto', within(14)],
    ['FunctionProto', within(25)],
    ['GraphProto', within(7)],
    ['NodeProto', within(7, 1)],
    ['AttributeProto', within(7, 1, 5)],
    ['TensorProto', within(7, 5)],
    ['ValueInfoProto', within(7, 11)],
    ['TypeProto', within(7, 12, 2)],
    ['TypeProto.Tensor', within(7, 13, 2, 1)],
    ['TensorShapeProto', within(7, 11, 2, 1, 2)],
    ['TensorShapeProto.Dimension', within(7, 11, 2, 1, 2, 1)],
  ];
}

describe('sizes', () => {
  const encodedSize = (model: ModelProto) => encodeModelProto(model).length;
  const parts = { nodes: [node('Relu', ['x'], ['y'])], inputs: [value('x', [1])], outputs: [value('y', [1])] };

  // Lengths on both sides of where a varint grows by a byte.
  it.each([0, 1, 100, 117, 118, 119, 120, 127, 128, 16_300, 16_371, 16_372, 16_384, 2_097_200])(
    'initializerFieldSize, measureModel, modelSize: an initializer of %i bytes adds exactly its size',
    (byteCount) => {
      const before = buildModel(parts);
      const tensor = newTensor({
        name: 'w',
        dataType: 2,
        dims: [BigInt(byteCount)],
        rawData: new Uint8Array(byteCount),
      });
      const after = buildModel({ ...parts, initializers: [tensor] });
      const { aroundGraph, insideGraph } = measureModel(before);
      expect(modelSize({ aroundGraph, insideGraph })).toBe(encodedSize(before));
      expect(modelSize({ aroundGraph, insideGraph: insideGraph + initializerFieldSize(tensor) })).toBe(
        encodedSize(after),
      );
    },
  );

  it('nodeFieldSize: what a node adds to a graph', () => {
    const added = node('If', ['c'], ['z'], attribute.graph('then_branch', buildGraph(parts)));
    const { insideGraph } = measureModel(buildModel(parts));
    const grown = measureModel(buildModel({ ...parts, nodes: [...parts.nodes, added] }));
    expect(insideGraph + nodeFieldSize(added)).toBe(grown.insideGraph);
  });

  it.each([1, 110, 118, 128, 16_400])('functionFieldSize: what a function with a name of %i letters adds', (length) => {
    const model = buildModel(parts);
    const definition = newFunction({ name: 'f'.repeat(length), domain: 'local', node: [...parts.nodes] });
    expect(encodedSize(model) + functionFieldSize(definition)).toBe(encodedSize({ ...model, functions: [definition] }));
  });
});

function tagBytes(number: number, wireType: number): Uint8Array {
  return packed([number * 8 + wireType]);
}
