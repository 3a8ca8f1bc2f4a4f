import type { TensorProto } from '../wire/model-proto.ts';

/** A weight, and the axis of it that counts output channels. */
export type LayerWeight = { readonly weight: TensorProto; readonly channelAxis: number };

/** Whether a weight has to stay number for number as it is: its layer then is not folded, and gets no room for corrections. */
export type IsKept = (layer: LayerWeight) => boolean;

export const keepsNone: IsKept = () => false;
