import type { Verdict } from '../gate/verdict.ts';
import type { FileIdentity, GateReport } from './gate-report.ts';

/** What `bitgate evaluate` says of a model; what it has in common with `result.json` has the same name. */
export type EvaluationReport = Verdict &
  Pick<
    GateReport,
    | 'schemaVersion'
    | 'model'
    | 'float'
    | 'quantized'
    | 'drop'
    | 'nonFiniteCount'
    | 'klToFloat'
    | 'agreement'
    | 'speed'
    | 'environment'
  > & { readonly artifact: FileIdentity };
