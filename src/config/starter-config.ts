/** The config that `bitgate init` writes: valid as it stands, except that the data paths are to be filled in. */

/** What is known of a model before anything runs. */
export type ModelFacts = {
  /** Relative to the folder of the config. */
  readonly modelPath: string;
  readonly sizeBytes: number;
  /** Inputs to be fed; a dim that is free is undefined. */
  readonly inputs: readonly {
    readonly name: string;
    readonly elementType: string;
    readonly dims: readonly (number | undefined)[];
  }[];
  readonly layerCount: number;
  readonly weightCount: number;
};

/** Renders a commented YAML config for a model; `parseConfig` takes it. */
export function renderStarterConfig(facts: ModelFacts): string {
  const model = facts.modelPath.replaceAll('\\', '/');
  const inputs = facts.inputs
    .map((input) => `#   input ${JSON.stringify(input.name)}: ${describeInput(input)}\n`)
    .join('');
  return `# Settings for bitgate; paths are relative to this file.
# ${JSON.stringify(model)}: ${facts.sizeBytes} bytes, ${facts.layerCount} layers with ${facts.weightCount} weights that can be quantized
${inputs}
version: 1
model: ${JSON.stringify(model)}
output: ${JSON.stringify(`build/${baseName(model)}.quant.onnx`)}
report: bitgate-report            # result.json, summary.md and report.html

budget:
  bits: 4.0                       # mean bits per weight; or a size of the whole file: 125 KB, 300 KiB, "25%"

# constraints: [{ bops: 10% }]    # further limits: bit operations, or any cost of layers at each width

quantize:
  bits: [2, 4, 8]                 # widths a layer may get, each from 2 to 8
  pin: {}                         # fixed layers by name or glob: { "conv1": 8, "head.*": float }

data:                             # .npz, .npy, or a folder of images with one sub-folder per class
  calibration:
    path: data/calibration.npz    # samples that the model was not trained on
    samples: 512
  evaluation:
    path: data/test.npz           # labelled, and none of them in calibration
  preprocess:                     # value = (pixel / scale - mean) / std
    scale: 255
    mean: 0                       # one number, or one per channel: [0.485, 0.456, 0.406]
    std: 1
    order: rgb                    # or bgr
    layout: ${guessLayout(facts)}                  # nchw or nhwc

sensitivity:
  method: pairwise                # CLADO: every layer and every pair; diagonal: layers alone, much faster
  loss: kl                        # needs no labels; or cross-entropy, mse

gate:
  metric: top1                    # or top5, kl, command
  max-drop: 0.01                  # at most one percentage point worse than the float model
  # min: 0.90                     # least accuracy of the quantized model
`;
}

function describeInput({ elementType, dims }: ModelFacts['inputs'][number]): string {
  return `${elementType} [${dims.map((dim) => dim ?? 'free').join(', ')}]`;
}

/** Up to four values on the last axis, and more on the second, are channels after height and width. */
function guessLayout({ inputs }: ModelFacts): 'nchw' | 'nhwc' {
  const [, second, , last] = inputs.find(({ dims }) => dims.length === 4)?.dims ?? [];
  const isChannelsLast = last !== undefined && last <= 4 && (second === undefined || second > 4);
  return isChannelsLast ? 'nhwc' : 'nchw';
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.onnx$/i, '');
}
