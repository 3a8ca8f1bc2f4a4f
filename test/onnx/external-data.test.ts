import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/entry/files.ts';
import { UserError } from '../../src/errors.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { decodeModel, type Model } from '../../src/onnx/model.ts';
import { bytesOf, readFloats } from '../../src/onnx/tensor-values.ts';
import { encodeModelProto, newMetadata, newTensor, type TensorProto } from '../../src/wire/model-proto.ts';
import { attribute, buildGraph, buildModel, floatInput, node, runModel, value } from './small-model.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bitgate-external-'));
  mkdirSync(join(folder, 'model'));
  // Ten floats 0 … 9; a weight of four starts at element 2.
  writeFileSync(join(folder, 'model', 'w.bin'), bytesOf(Float32Array.from({ length: 10 }, (_, index) => index)));
  writeFileSync(join(folder, 'secret.bin'), new Uint8Array(40));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A 2×2 weight whose data lies where the entries say. */
function external(entries: Record<string, string>, name = 'w'): TensorProto {
  const externalData = Object.entries(entries).map(([key, text]) => newMetadata(key, text));
  return newTensor({ name, dataType: DATA_TYPE.float32, dims: [2n, 2n], externalData, dataLocation: 1 });
}

function modelWith(tensor: TensorProto) {
  return buildModel({
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
    initializers: [tensor],
    inputs: [value('x', [1, 2])],
    outputs: [value('y', [1, 2])],
  });
}

function decode(tensor: TensorProto): Promise<Model> {
  const path = join(folder, 'model', 'm.onnx');
  return decodeModel(encodeModelProto(modelWith(tensor)), path, nodeFiles.externalDataOf(path));
}

async function messageOf(tensor: TensorProto): Promise<string> {
  const error = await decode(tensor).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message.replaceAll(folder, '<folder>');
}

describe('loadExternalData', () => {
  it('loadExternalData: the bytes are in the model afterwards, which runs without the file', async () => {
    const model = await decode(external({ location: 'w.bin', offset: '8', length: '16', checksum: 'ignored' }));
    const [tensor] = model.graph.initializer;
    expect([...readFloats(tensor!, '')]).toEqual([2, 3, 4, 5]);
    expect(tensor).toMatchObject({ externalData: [] });
    expect(tensor).not.toHaveProperty('dataLocation');
    const { y } = await runModel(encodeModelProto(model.proto), { x: floatInput([1, 2], 1) });
    const inside = {
      ...external({}),
      externalData: [],
      dataLocation: 0,
      rawData: bytesOf(Float32Array.of(2, 3, 4, 5)),
    };
    expect(y).toEqual((await runModel(modelWith(inside), { x: floatInput([1, 2], 1) })).y);
  });

  it('decodeModel: the content has the external data in its hash, the file has not', async () => {
    const before = await decode(external({ location: 'w.bin' }));
    writeFileSync(join(folder, 'model', 'w.bin'), new Uint8Array(40));
    const after = await decode(external({ location: 'w.bin' }));
    expect(after.fileSha256).toBe(before.fileSha256);
    expect(after.contentSha256).not.toBe(before.contentSha256);
    expect(before.contentSha256).not.toBe(before.fileSha256);
  });

  it('decodeModel: the size is that of the file and the external data that the model takes', async () => {
    const tensor = external({ location: 'w.bin', offset: '8', length: '16' });
    const fileSizeBytes = encodeModelProto(modelWith(tensor)).length;
    expect((await decode(tensor)).contentSizeBytes).toBe(fileSizeBytes + 16);
  });

  it('loadExternalData: without a length the dims say it, without an offset it is 0', async () => {
    const [tensor] = (await decode(external({ location: 'w.bin' }))).graph.initializer;
    expect([...readFloats(tensor!, '')]).toEqual([0, 1, 2, 3]);
  });

  it('loadExternalData: tensors of attributes and subgraphs are loaded too', async () => {
    const place = { location: 'w.bin' };
    const branch = buildGraph({
      nodes: [],
      initializers: [external(place, 'inner')],
      outputs: [value('inner', [2, 2])],
    });
    const nodes = [
      node('Constant', [], ['k'], attribute.tensor('value', external(place))),
      node('If', ['c'], ['y'], attribute.graph('then_branch', branch)),
    ];
    const built = buildModel({ nodes, inputs: [value('c', [], DATA_TYPE.bool)], outputs: [value('y', [2, 2])] });
    const path = join(folder, 'model', 'm.onnx');
    const { graph } = await decodeModel(encodeModelProto(built), path, nodeFiles.externalDataOf(path));
    expect(graph.node[0]!.attribute[0]!.t!.rawData).toHaveLength(16);
    expect(graph.node[1]!.attribute[0]!.g!.initializer[0]!.rawData).toHaveLength(16);
  });

  it.each([
    ['no location', { offset: '0' }],
    ['an offset that is no number', { location: 'w.bin', offset: '-1' }],
    ['a length that is no number', { location: 'w.bin', length: '1e3' }],
  ])('loadExternalData: %s is refused', async (_, entries) => {
    expect(await messageOf(external(entries as Record<string, string>))).toBe(
      "<folder>/model/m.onnx: initializer 'w' has no usable external data (location, offset and length)\n" +
        '  fix: save the model again with its external data',
    );
  });

  it('loadExternalData: data of another size than the dims declare is refused', async () => {
    expect(await messageOf(external({ location: 'w.bin', length: '12' }))).toBe(
      "<folder>/model/m.onnx: initializer 'w' declares 4 float32 elements (2×2) and holds 3\n" +
        '  fix: export the model again; the file is damaged or was cut short',
    );
    expect(await messageOf(external({ location: 'w.bin', offset: '32' }))).toBe(
      '<folder>/model/w.bin: the file has 40 bytes, expected 16 bytes from byte 32\n' +
        '  fix: the file is cut short or belongs to another model; copy it again',
    );
  });

  it('loadExternalData: more than 2 GiB is refused before it is read', async () => {
    const tensor = external({ location: 'w.bin', length: String(2 ** 31) });
    expect(await messageOf(tensor)).toBe(
      '<folder>/model/m.onnx: the model and its external data are larger than 2 GiB together, which this version cannot hold\n' +
        '  fix: gate the parts of the model one by one',
    );
  });

  it.each(['../secret.bin', 'sub/../../secret.bin', 'link.bin', 'linked/secret.bin'])(
    'loadExternalData: %s leads out of the folder of the model',
    async (location) => {
      symlinkSync(join(folder, 'secret.bin'), join(folder, 'model', 'link.bin'));
      symlinkSync(folder, join(folder, 'model', 'linked'));
      expect(await messageOf(external({ location }))).toBe(
        `<folder>/model/m.onnx: the model names external data outside its folder: "${location}"\n` +
          '  fix: keep the external data beside the model',
      );
    },
  );
});
