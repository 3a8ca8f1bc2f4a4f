/** Values of the gate's metric as people read them. */
import type { Measurements } from '../evaluate/measurements.ts';
import { decimalText, percentText, realText } from './number-text.ts';

type Metric = Measurements['metric'];

/** `91.35 %`, `0.0123 nats`; what a command gives has no unit that is known. */
export function metricText(metric: Metric, value: number): string {
  switch (metric) {
    case 'kl':
      return `${realText(value)} nats`;
    case 'command':
      return realText(value, COMMAND_DIGITS);
    default:
      return percentText(value, 2);
  }
}

/** How much worse the quantized model is, without a unit but for the points of shares. */
export function dropText(metric: Metric, drop: number): string {
  switch (metric) {
    case 'kl':
      return realText(drop);
    case 'command':
      return realText(drop, COMMAND_DIGITS);
    default:
      return `${decimalText(100 * drop, 2)} points`;
  }
}

/** As many as a share in percent has. */
const COMMAND_DIGITS = 4;
