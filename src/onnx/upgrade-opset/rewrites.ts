/** Every change of an operator's meaning between opset 7 and the newest understood one. */
import { AXES_TO_INPUT } from './axes-to-input.ts';
import { BATCH_NORMALIZATION_9, BATCH_NORMALIZATION_14 } from './batch-normalization.ts';
import { CLIP_11 } from './clip-11.ts';
import { DROPOUT } from './dropout.ts';
import { PAD_11 } from './pad-11.ts';
import { REFUSALS } from './refusals.ts';
import { GRID_SAMPLE_20, ROI_ALIGN_16, SCATTER_11 } from './renamed.ts';
import { RESIZE_11, RESIZE_13 } from './resize.ts';
import type { OperatorRewrite } from './rewrite.ts';
import { SLICE_10 } from './slice-10.ts';
import { SOFTMAX_13 } from './softmax-13.ts';
import { SPLIT_13, SPLIT_18 } from './split.ts';
import { TOP_K_10 } from './top-k-10.ts';
import { UPSAMPLE_9, UPSAMPLE_10 } from './upsample.ts';

const REWRITES: readonly OperatorRewrite[] = [
  ...AXES_TO_INPUT,
  BATCH_NORMALIZATION_9,
  BATCH_NORMALIZATION_14,
  CLIP_11,
  ...DROPOUT,
  GRID_SAMPLE_20,
  PAD_11,
  ...REFUSALS,
  RESIZE_11,
  RESIZE_13,
  ROI_ALIGN_16,
  SCATTER_11,
  SLICE_10,
  SOFTMAX_13,
  SPLIT_13,
  SPLIT_18,
  TOP_K_10,
  UPSAMPLE_9,
  UPSAMPLE_10,
];

/** The rewrites of one operator, oldest first. */
export function rewritesOf(opType: string): readonly OperatorRewrite[] {
  return BY_OPERATOR.get(opType) ?? [];
}

const BY_OPERATOR = groupByOperator();

function groupByOperator(): ReadonlyMap<string, readonly OperatorRewrite[]> {
  const groups = new Map<string, OperatorRewrite[]>();
  for (const rewrite of [...REWRITES].sort((a, b) => a.version - b.version)) {
    for (const opType of rewrite.opTypes) groups.set(opType, [...(groups.get(opType) ?? []), rewrite]);
  }
  return groups;
}
