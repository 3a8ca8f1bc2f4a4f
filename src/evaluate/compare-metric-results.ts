/** The float model and the artifact by what one command says of each. */
import type { EvaluateConfig } from '../config/config.ts';
import type { Measurements, PairedCounts } from './measurements.ts';
import type { MetricResult } from './metric-line.ts';

type Better = EvaluateConfig['better'];

/** The measurements, or why the two cannot be compared. */
export function compareMetricResults(
  float: MetricResult,
  artifact: MetricResult,
  better: Better,
): Measurements | { readonly complaint: string } {
  const [expected, found] = [describeSamples(float), describeSamples(artifact)];
  if (expected !== found) return { complaint: `${found}, and for the float model ${expected}` };
  const { sampleCount } = artifact;
  return {
    metric: 'command',
    ...(sampleCount === undefined ? {} : { sampleCount }),
    outputNames: [],
    float: float.value,
    quantized: artifact.value,
    drop: dropOf(float.value, artifact.value, better),
    ...pairSamples(float.perSample, artifact.perSample, better),
  };
}

function describeSamples({ sampleCount, perSample }: MetricResult): string {
  if (perSample !== undefined) return `\`${perSample.kind}\` of ${sampleCount} samples`;
  return sampleCount === undefined ? 'no number of samples' : `${sampleCount} samples`;
}

function pairSamples(
  float: MetricResult['perSample'],
  artifact: MetricResult['perSample'],
  better: Better,
): Pick<Measurements, 'pairedCounts' | 'pairedValues'> {
  if (float === undefined || artifact === undefined) return {};
  if (artifact.kind === 'correct') return { pairedCounts: countPairs(float.values, artifact.values) };
  const drop = artifact.values.map((value, sample) => dropOf(float.values[sample]!, value, better));
  return { pairedValues: { quantized: artifact.values, drop } };
}

function dropOf(float: number, artifact: number, better: Better): number {
  return better === 'higher' ? float - artifact : artifact - float;
}

function countPairs(float: Float64Array, artifact: Float64Array): PairedCounts {
  const count = (isFloatRight: number, isArtifactRight: number) =>
    float.filter((right, sample) => right === isFloatRight && artifact[sample] === isArtifactRight).length;
  return { both: count(1, 1), onlyFloat: count(1, 0), onlyArtifact: count(0, 1), neither: count(0, 0) };
}
