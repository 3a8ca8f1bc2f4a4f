import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadPrepared, presentModels } from '../../bench/shared-models.ts';
import { UnsupportedModelError, UserError } from '../../src/errors.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { decodeModel, NEWEST_OPSET } from '../../src/onnx/model.ts';
import { encodeModelProto, type ModelProto, newTensor } from '../../src/wire/model-proto.ts';
import { bytesField, concat, field, varintField } from '../wire/wire-bytes.ts';
import {
  attribute,
  buildGraph,
  buildModel,
  floatInput,
  type ModelParts,
  node,
  noExternalData,
  relativeDifference,
  runModel,
  value,
  weight,
} from './small-model.ts';

const decode = (model: ModelProto | Uint8Array) =>
  decodeModel(model instanceof Uint8Array ? model : encodeModelProto(model), 'm.onnx', noExternalData);

async function messageOf(model: ModelProto | Uint8Array, kind: typeof UserError = UserError): Promise<string> {
  const error = await decode(model).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(kind);
  return (error as UserError).message;
}

/** y = Relu(Conv(x, w)), what every opset can say. */
const CONVOLUTION: ModelParts = {
  nodes: [node('Conv', ['x', 'w'], ['c']), node('Relu', ['c'], ['y'])],
  initializers: [weight('w', [3, 2, 3, 3], 1)],
  inputs: [value('x', ['n', 2, 5, 5])],
  outputs: [value('y', ['n', 3, 3, 3])],
};

describe('decodeModel', () => {
  it.each(Array.from({ length: NEWEST_OPSET - 6 }, (_, index) => index + 7))(
    'decodeModel: opset %i is read, and the runtime runs what is encoded again',
    async (opset) => {
      const built = buildModel({ ...CONVOLUTION, opset });
      const model = await decode(built);
      expect(model.opsetVersion).toBe(opset);
      const feeds = { x: floatInput([2, 2, 5, 5], 2) };
      expect(relativeDifference(await runModel(model.proto, feeds), await runModel(built, feeds))).toBe(0);
    },
  );

  it('decodeModel: the newest opset is the newest that the runtime takes', async () => {
    const newer = buildModel({ ...CONVOLUTION, opset: NEWEST_OPSET + 1 });
    await expect(runModel(newer, {})).rejects.toThrow(/opset/i);
    expect(await messageOf(newer, UnsupportedModelError)).toBe(
      'm.onnx: the model uses opset 27\n  fix: export it with an opset from 7 to 26 (17 is a good choice)',
    );
  });

  it('decodeModel: an opset that is too old or missing is refused', async () => {
    expect(await messageOf(buildModel({ ...CONVOLUTION, opset: 6 }), UnsupportedModelError)).toBe(
      'm.onnx: the model uses opset 6\n  fix: export it with an opset from 7 to 26 (17 is a good choice)',
    );
    expect(await messageOf({ ...buildModel(CONVOLUTION), opsetImport: [] }, UnsupportedModelError)).toContain(
      'm.onnx: the model imports no default opset\n',
    );
  });

  it('decodeModel: knows the file by its path, size and hash', async () => {
    const bytes = encodeModelProto(buildModel(CONVOLUTION));
    const { contentSizeBytes, fileSha256, contentSha256, path } = await decode(bytes);
    const expected = createHash('sha256').update(bytes).digest('hex');
    expect({ contentSizeBytes, fileSha256, path }).toEqual({
      contentSizeBytes: 354,
      fileSha256: expected,
      path: 'm.onnx',
    });
    expect(contentSha256).toBe(expected);
  });

  it.each(presentModels())('decodeModel: $name is sorted and complete', async (shared) => {
    expect((await loadPrepared(shared)).graph.node.length).toBeGreaterThan(0);
  });
});

describe('decodeModel, files that are no models', () => {
  const WHOLE = encodeModelProto(buildModel(CONVOLUTION));

  it('decodeModel: a truncated file is refused wherever it is cut', async () => {
    for (let length = 1; length < WHOLE.length; length++) {
      expect(await messageOf(WHOLE.slice(0, length))).toMatch(
        /^m\.onnx: (this is not a complete ONNX model|the model imports)/,
      );
    }
    expect(await messageOf(WHOLE.slice(0, 200))).toBe(
      'm.onnx: this is not a complete ONNX model (200 bytes): premature EOF\n' +
        '  fix: export the model again, and check that the file was copied whole',
    );
  });

  it('decodeModel: an empty file', async () => {
    expect(await messageOf(new Uint8Array())).toBe(
      'm.onnx: this is not a complete ONNX model (0 bytes): it holds no graph with nodes\n' +
        '  fix: export the model again, and check that the file was copied whole',
    );
  });

  it('decodeModel: a Git LFS pointer is told from a broken model', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 12345\n';
    expect(await messageOf(new TextEncoder().encode(pointer))).toBe(
      'm.onnx: this is a Git LFS pointer, not the model itself\n' +
        '  fix: run "git lfs pull"; in a workflow, set "lfs: true" for actions/checkout',
    );
  });

  it.each([
    ['text', new TextEncoder().encode('# a README, not a model\n')],
    ['an archive', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0)],
    ['a picture', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)],
    ['another protobuf message', concat(varintField(1, 1), field(2, 'saved_model'), bytesField(30, new Uint8Array(9)))],
    ['a model without a graph', encodeModelProto({ ...buildModel(CONVOLUTION), graph: undefined } as never)],
    ['a graph without nodes', encodeModelProto(buildModel({ nodes: [] }))],
  ])('decodeModel: %s is refused', async (_, bytes) => {
    expect(await messageOf(bytes)).toMatch(/^m\.onnx: this is not a complete ONNX model \(\d+ bytes\): .+\n {2}fix: /);
  });
});

describe('decodeModel, tensors that are not complete', () => {
  const withWeight = (tensor: Parameters<typeof newTensor>[0]) =>
    buildModel({ ...CONVOLUTION, initializers: [newTensor({ name: 'w', dataType: DATA_TYPE.float32, ...tensor })] });
  const FIX = '\n  fix: export the model again; the file is damaged or was cut short';

  it.each([
    [
      'fewer raw bytes',
      { dims: [2n, 3n], rawData: new Uint8Array(20) },
      'declares 6 float32 elements (2×3) and holds 5',
    ],
    ['more raw bytes', { dims: [2n], rawData: new Uint8Array(9) }, 'declares 2 float32 elements (2) and holds 2.25'],
    ['fewer typed numbers', { dims: [4n], floatData: [1, 2] }, 'declares 4 float32 elements (4) and holds 2'],
    ['no data', { dims: [4n] }, 'declares 4 float32 elements (4) and holds 0'],
    [
      'a negative dim',
      { dims: [-2n, -2n], floatData: [1, 2, 3, 4] },
      'declares 4 float32 elements (-2×-2) and holds 4',
    ],
    [
      '2 GiB declared in a small file',
      { dims: [2n ** 29n], rawData: new Uint8Array(16) },
      'declares 536870912 float32 elements (536870912) and holds 4',
    ],
    ['more than any memory', { dims: [2n ** 62n, 2n ** 62n] }, 'declares 2.1267647932558654e+37 float32 elements'],
  ])('decodeModel: %s', async (_, tensor, message) => {
    const text = await messageOf(withWeight(tensor));
    expect(text.startsWith(`m.onnx: initializer 'w' ${message}`)).toBe(true);
    expect(text.endsWith(FIX)).toBe(true);
  });

  it('decodeModel: a declared size takes no memory', async () => {
    const bytes = encodeModelProto(withWeight({ dims: [2n ** 29n], rawData: new Uint8Array(600) }));
    expect(bytes.length).toBeLessThan(1024);
    const before = process.memoryUsage();
    await messageOf(bytes);
    const after = process.memoryUsage();
    const grown = after.arrayBuffers + after.heapTotal - before.arrayBuffers - before.heapTotal;
    expect(grown).toBeLessThan(64 * 2 ** 20);
  });

  it('decodeModel: the tensor of a Constant and the initializer of a subgraph are checked too', async () => {
    const short = newTensor({ name: 's', dataType: DATA_TYPE.float32, dims: [2n], floatData: [1] });
    const constant = node('Constant', [], ['k'], attribute.tensor('value', short));
    expect(await messageOf(buildModel({ ...CONVOLUTION, nodes: [constant] }))).toContain(
      "the tensor of Constant node 'make_k' declares 2 float32 elements (2) and holds 1",
    );
    const branch = buildGraph({ nodes: [], initializers: [short], outputs: [value('s', [2])] });
    const owner = node('If', ['x'], ['k'], attribute.graph('then_branch', branch));
    expect(await messageOf(buildModel({ ...CONVOLUTION, nodes: [owner] }))).toContain(
      "initializer 's' declares 2 float32 elements (2) and holds 1",
    );
  });

  it('decodeModel: types narrower than a byte, scalars, empty tensors and strings are complete as onnx.proto says', async () => {
    const tensors = [
      newTensor({ name: 'a', dataType: 22, dims: [3n], rawData: new Uint8Array(2) }),
      newTensor({ name: 'b', dataType: 25, dims: [5n], rawData: new Uint8Array(2) }),
      newTensor({ name: 'scalar', dataType: DATA_TYPE.float32, floatData: [1] }),
      newTensor({ name: 'd', dataType: DATA_TYPE.float32, dims: [0n, 3n] }),
      newTensor({ name: 'e', dataType: 8, dims: [1n], stringData: [Uint8Array.of(65)] }),
      newTensor({ name: 'f', dataType: DATA_TYPE.float16, dims: [2n], int32Data: [15360, 0] }),
      newTensor({ name: 'g', dataType: 14, dims: [2n], floatData: [1, 0, 2, 0] }),
    ];
    await expect(
      decode(buildModel({ ...CONVOLUTION, initializers: [...CONVOLUTION.initializers!, ...tensors] })),
    ).resolves.toBeDefined();
  });
});

describe('decodeModel, graphs out of order', () => {
  const FIX =
    '\n  fix: export the model again; onnx.checker.check_model of the Python package onnx finds such faults too';
  const within = (nodes: ModelParts['nodes'], parts: Partial<ModelParts> = {}) =>
    buildModel({ nodes, inputs: [value('x', [1])], outputs: [value('y', [1])], ...parts });

  it('decodeModel: a cycle is named', async () => {
    const model = within([
      node('Add', ['x', 'c'], ['a']),
      node('Relu', ['a'], ['b']),
      node('Relu', ['b'], ['c']),
      node('Relu', ['c'], ['y']),
    ]);
    expect(await messageOf(model)).toBe(
      `m.onnx: the graph has a cycle: Add node 'make_a' reads 'c', which depends on what that node makes${FIX}`,
    );
    const selfish = within([node('Add', ['x', 'y'], ['y'])]);
    expect(await messageOf(selfish)).toContain("the graph has a cycle: Add node 'make_y' reads 'y'");
  });

  it('decodeModel: nodes out of topological order are named', async () => {
    const model = within([node('Relu', ['a'], ['y']), node('Relu', ['x'], ['a'])]);
    expect(await messageOf(model)).toBe(
      `m.onnx: the nodes are not in topological order: Relu node 'make_y' reads 'a' before Relu node 'make_a' makes it${FIX}`,
    );
  });

  it('decodeModel: a value that nothing makes, or that is made twice', async () => {
    expect(await messageOf(within([node('Relu', ['ghost'], ['y'])]))).toBe(
      `m.onnx: Relu node 'make_y' names the value 'ghost', which nothing before it makes${FIX}`,
    );
    expect(await messageOf(within([node('Relu', ['x'], ['z'])]))).toBe(
      `m.onnx: the output list names the value 'y', which nothing before it makes${FIX}`,
    );
    expect(await messageOf(within([node('Relu', ['x'], ['y']), node('Abs', ['x'], ['y'])]))).toBe(
      `m.onnx: the value 'y' is made twice, the second time by Abs node 'make_y'${FIX}`,
    );
  });

  it('decodeModel: a subgraph sees the values made before its node, and no later ones', async () => {
    const branch = (name: string) => buildGraph({ nodes: [node('Relu', [name], ['r'])], outputs: [value('r', [1])] });
    const owner = (name: string) => node('If', ['x'], ['y'], attribute.graph('then_branch', branch(name)));
    await expect(decode(within([node('Abs', ['x'], ['a']), owner('a')]))).resolves.toBeDefined();
    expect(await messageOf(within([owner('a'), node('Abs', ['x'], ['a'])]))).toContain(
      "Relu node 'make_r' names the value 'a', which nothing before it makes",
    );
  });

  it('decodeModel: optional inputs and sparse initializers are no missing values', async () => {
    const clip = node('Clip', ['x', '', 'limit'], ['y']);
    const model = within([clip]);
    expect(await messageOf(model)).toContain("names the value 'limit'");
    // GraphProto.sparse_initializer, which carries names that are not read.
    const sparse = { no: 15, wireType: 2, data: Uint8Array.of(0) };
    const withSparse = { ...model, graph: { ...model.graph!, $unknown: [sparse] } };
    await expect(decode(withSparse)).resolves.toBeDefined();
  });
});
