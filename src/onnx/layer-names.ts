/** Readable, unique names for layers, from what exporters leave behind. */
import type { NodeProto } from '../wire/model-proto.ts';

type NamedWeight = { readonly weightName: string; readonly node: NodeProto };

/** Names that exporters make up and that change from one export to the next. */
const INVENTED = /^(onnx::|val_|_|\d+$|const_fold|Constant)/;

const WEIGHT_SUFFIX = /([._/])(weight|kernel|W|w|weights)(:0)?$/;

/** One name per weight, shape [weights.length]; a name that occurs again gets "#2", "#3" … */
export function nameLayers(weights: readonly NamedWeight[]): string[] {
  const taken = new Set<string>();
  return weights.map((weight) => {
    const wanted = readableName(weight);
    let name = wanted;
    for (let number = 2; taken.has(name); number++) name = `${wanted}#${number}`;
    taken.add(name);
    return name;
  });
}

/** The weight's own name, the node's path, or operator and weight. */
function readableName({ weightName, node }: NamedWeight): string {
  const fromWeight = weightName.replace(WEIGHT_SUFFIX, '');
  if (!INVENTED.test(weightName) && fromWeight !== '') return fromWeight;
  const fromNode = modulePath(node);
  return fromNode === '' ? `${node.opType}:${weightName}` : fromNode;
}

/**
 * The module that a PyTorch node name spells: "/layer1/layer1.0/conv1/Conv" is "layer1.0.conv1", because each path segment
 * that the next one repeats ("layer1", "layer1.0") is left out, and the operator at the end too.
 */
function modulePath(node: NodeProto): string {
  const segments = (node.name ?? '').split('/').filter((segment) => segment !== '');
  if (segments.at(-1)?.replace(/_\d+$/, '') === node.opType && segments.length > 1) segments.pop();
  return segments.filter((segment, index) => !segments[index + 1]?.startsWith(`${segment}.`)).join('.');
}
