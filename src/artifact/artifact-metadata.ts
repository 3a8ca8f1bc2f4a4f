/** What an artifact says of itself in metadata_props, whichever form its weights have, and how it is told from a float model. */
import { UserError } from '../errors.ts';
import type { Model } from '../onnx/model.ts';
import { type ModelProto, newMetadata } from '../wire/model-proto.ts';
import { FUNCTION_DOMAIN } from './decode-functions.ts';
import type { LayerContent } from './packed-artifact.ts';

/** Facts that travel in the artifact's metadata_props; values of a fixed length, so that the size is known beforehand. */
export type Provenance = Readonly<Record<string, string>>;

const PREFIX = 'bitgate.';

/** metadata_props with the facts and `bits` in them, and nothing that an earlier artifact said. */
export function artifactMetadata(proto: ModelProto, provenance: Provenance, bits: string): ModelProto['metadataProps'] {
  const entries = Object.entries({ ...provenance, bits }).map(([key, value]) => newMetadata(`${PREFIX}${key}`, value));
  return [...proto.metadataProps.filter(({ key }) => !key?.startsWith(PREFIX)), ...entries];
}

/** One character per layer, in layer order: the bit-width, or f for float. */
export function bitsText(contents: readonly LayerContent[]): string {
  return contents.map((content) => (content === 'float' ? 'f' : content.grid.bitWidth)).join('');
}

/** @throws UserError if the model is an artifact already: its weights are nodes, and quantizing the rest again would hide it */
export function assertNotArtifact({ proto, graph, path }: Model): void {
  const isPacked = proto.opsetImport.some(({ domain }) => domain === FUNCTION_DOMAIN);
  const hasBits = proto.metadataProps.some(({ key }) => key === `${PREFIX}bits`);
  const isDequantized = hasBits && graph.node.some(({ opType }) => opType === 'DequantizeLinear');
  if (!isPacked && !isDequantized) return;
  throw new UserError({
    what: 'the model was quantized by bitgate already',
    where: path,
    fix: 'give the float model that it was made from',
  });
}
