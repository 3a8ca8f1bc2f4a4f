/** A user's own metric as a program: top-1 of a model on the example's samples, by the runtime and the reader of this repository. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSelection } from '../../src/dataset/open-data.ts';
import { nodeFiles } from '../../src/entry/files.ts';
import { decodeModel } from '../../src/onnx/model.ts';
import { modelInputs } from '../../src/onnx/model-inputs.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';

const [sampleCount, path] = [Number(process.argv[2]), process.argv.at(-1)!];
const source = { path: join(import.meta.dirname, '../../examples/glyphs/data/evaluation.npz'), sampleCount };
const preprocess = {
  scale: 255,
  mean: [0.2],
  std: [0.25],
  channelOrder: 'rgb',
  layout: 'nchw',
  crop: 'center',
} as const;

const bytes = new Uint8Array(readFileSync(path));
const model = await decodeModel(bytes, path, nodeFiles.externalDataOf(path));
const { batches } = await openSelection(source, preprocess, modelInputs(model), 0, nodeFiles);
const session = await openOnnxruntimeSession(bytes);
const correct: number[] = [];
for await (const { feeds, labels, sampleCount } of batches()) {
  const { data, dims } = Object.values(await session.run(feeds))[0]!;
  for (let sample = 0; sample < sampleCount; sample++) {
    const scores = Array.from(data.slice(sample * dims[1]!, (sample + 1) * dims[1]!), Number);
    correct.push(Number(scores.indexOf(Math.max(...scores)) === labels![sample]));
  }
}
console.log('this line is of no matter');
console.log(JSON.stringify({ value: correct.reduce((sum, hit) => sum + hit, 0) / correct.length, correct }));
