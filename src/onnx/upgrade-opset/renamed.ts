/** Operators and attribute values that got another name or another default, and mean the same. */
import { attributeOf } from '../graph-index.ts';
import { stringAttribute, stringOf } from './constants.ts';
import { type OperatorRewrite, withoutAttributes } from './rewrite.ts';

/**
 * **From** Scatter before opset 11.
 * **To** ScatterElements.
 * **Holds because** it is the same operator under another name.
 */
export const SCATTER_11: OperatorRewrite = {
  opTypes: ['Scatter'],
  version: 11,
  rewrite: (node) => [{ ...node, opType: 'ScatterElements' }],
};

/**
 * **From** RoiAlign before opset 16.
 * **To** RoiAlign with coordinate_transformation_mode=output_half_pixel.
 * **Holds because** that is how the specification calls the behaviour that was the only one before.
 */
export const ROI_ALIGN_16: OperatorRewrite = {
  opTypes: ['RoiAlign'],
  version: 16,
  rewrite: (node) => {
    const mode = stringAttribute('coordinate_transformation_mode', 'output_half_pixel');
    return [{ ...node, attribute: [...node.attribute, mode] }];
  },
};

/**
 * **From** GridSample before opset 20, with mode bilinear or bicubic.
 * **To** GridSample with mode linear or cubic.
 * **Holds because** opset 20 renamed the modes when it allowed more than two spatial axes.
 */
export const GRID_SAMPLE_20: OperatorRewrite = {
  opTypes: ['GridSample'],
  version: 20,
  rewrite: (node) => {
    const old = stringOf(attributeOf(node, 'mode'), 'bilinear');
    const mode = { bilinear: 'linear', bicubic: 'cubic' }[old] ?? old;
    return [{ ...node, attribute: [...withoutAttributes(node, 'mode'), stringAttribute('mode', mode)] }];
  },
};
