/** Stand-ins for the world around both faces: a small disk in memory, and work that only remembers. */
import type { Commands } from '../../src/entry/commands.ts';
import type { Files } from '../../src/entry/files.ts';
import type { ProgramReport } from '../../src/entry/solve-program-file.ts';
import { UserError } from '../../src/errors.ts';
import type { Check } from '../../src/gate/verdict.ts';
import type { EvaluationReport } from '../../src/report/evaluation-report.ts';
import type { GateReport } from '../../src/report/gate-report.ts';
import type { ParetoReport } from '../../src/report/pareto-report.ts';
import type { SolvedReport } from '../../src/report/solved-report.ts';

export const CONFIG = `version: 1
model: m.onnx
output: out/q.onnx
budget:
  size: 125 KB
data:
  calibration: { path: c.npz }
  evaluation: { path: t.npz }
gate:
  min: 0.9
  max-drop: 0.01
  max-size: 130 KB
`;

/** The content of a file by its absolute path; every other path is missing. */
export type Disk = Record<string, string>;

export function completeDisk(config = CONFIG): Disk {
  return { '/w/bitgate.yml': config, '/w/m.onnx': 'model', '/w/c.npz': 'c', '/w/t.npz': 't' };
}

export function fakeFiles(disk: Disk): Files {
  const refuseReadOnly = async (path: string) => {
    if (path.startsWith('/read-only')) throw new UserError({ what: 'cannot be written: read-only', where: path });
  };
  return {
    kindOf: async (path) => (path in disk ? 'file' : path === '/w' ? 'folder' : 'missing'),
    readFile: async (path) => {
      const content = disk[path];
      if (content === undefined) throw new UserError({ what: 'no such file or folder', where: path });
      return new TextEncoder().encode(content);
    },
    listFolder: async () => [],
    externalDataOf: () => async () => new Uint8Array(),
    makeFolder: async () => {},
    writeFileAtomically: async (path, content) => {
      disk[path] = String(content);
    },
    useTemporaryFile: async () => {
      throw new Error('nothing here runs a command');
    },
    assertFileCanBeWritten: refuseReadOnly,
    assertFolderCanBeWritten: refuseReadOnly,
  };
}

const FAILED = { outcome: 'fail', passed: false } as const;

/** Every limit of CONFIG, none of them kept. */
export const CHECKS: readonly Check[] = [
  { ...sizeCheck(125_000), ...FAILED, limitName: 'size' },
  { ...sizeCheck(130_000), ...FAILED, limitName: 'max-size' },
  { name: 'top1', measured: 0.87, limit: 0.9, unit: 'ratio', bound: 'at-least', ...FAILED, limitName: 'min' },
  { name: 'top1 drop', measured: 0.04, limit: 0.01, unit: 'ratio', bound: 'at-most', ...FAILED, limitName: 'max-drop' },
  { name: 'non-finite outputs', measured: 2, limit: 0, unit: 'samples', bound: 'at-most', ...FAILED },
];

function sizeCheck(limit: number) {
  return { name: 'artifact size', measured: 131_000, limit, unit: 'bytes', bound: 'at-most' } as const;
}

export function reportOf(checks: readonly Check[]): GateReport {
  const passed = checks.every((check) => check.passed);
  return {
    schemaVersion: 1,
    verdict: passed ? 'pass' : 'fail',
    passed,
    checks,
    model: { path: '/w/m.onnx', sizeBytes: 1000, sha256: '0' },
    artifact: { path: '/w/out/q.onnx', sizeBytes: 131_000, sha256: '1', format: 'packed', effectiveBits: 4 },
    budget: { limitBytes: 125_000, source: '125 KB' },
    float: { metric: 'top1', value: 0.91, samples: 100 },
    quantized: { metric: 'top1', value: 0.87, samples: 100 },
    drop: 0.04,
    allocation: [],
    sensitivity: {
      method: 'pairwise',
      loss: 'kl',
      samples: 512,
      singles: 1,
      pairs: 0,
      forwardEquivalents: 1,
      seconds: 1,
      cache: 'off',
    },
    solver: { status: 'optimal', objective: 1, bestBound: 1, relativeGap: 0, seconds: 0 },
    timings: {},
    environment: { bitgate: '0', onnxruntime: '1', executionProvider: 'cpu', node: '24', platform: 'linux' },
    warnings: [],
    reproduce: 'bitgate run bitgate.yml',
  };
}

export const PROGRAM_REPORT: ProgramReport = {
  status: 'optimal',
  objective: 2,
  bestBound: 2,
  relativeGap: 0,
  seconds: 0.5,
  bits: [2, 8],
};

export const SOLVED_REPORT: SolvedReport = {
  schemaVersion: 1,
  model: '/w/m.onnx',
  method: 'pairwise',
  loss: 'kl',
  samples: 384,
  answers: [
    {
      budget: { limitBytes: 125_000, source: '125000 bytes' },
      sizeBytes: 124_800,
      effectiveBits: 3.25,
      allocation: [
        { layer: 'conv1', opType: 'Conv', weightCount: 100, bits: 8, bytes: 120 },
        { layer: 'head', opType: 'Gemm', weightCount: 10, bits: 32, bytes: 40 },
      ],
      status: 'optimal',
      objective: 0.0123,
      bestBound: 0.0123,
      relativeGap: 0,
      seconds: 0.04,
    },
    { budget: { limitBitsPerWeight: 1.5, source: '1.5 bits per weight' }, status: 'infeasible', smallest: 2 },
  ],
};

export const PARETO_REPORT: ParetoReport = {
  schemaVersion: 1,
  model: { path: '/w/m.onnx', sizeBytes: 1_094_321, sha256: '0' },
  float: { metric: 'top1', value: 0.917, samples: 846 },
  better: 'higher',
  budget: { limitBytes: 125_000, source: '125000 bytes' },
  limits: { min: 0.9, maxDrop: 0.01, maxSizeBytes: 130_000 },
  points: [
    {
      budget: { limitBitsPerWeight: 3, source: '3 bits per weight' },
      status: 'measured',
      sizeBytes: 122_950,
      effectiveBits: 2.998,
      value: 0.9135,
      drop: 0.0035,
      verdict: 'pass',
      dominated: false,
      predictedLoss: 0.02,
      measuredLoss: 0.021,
      bits: [3, 3],
    },
    {
      budget: { limitBytes: 160_000, source: '160000 bytes' },
      status: 'measured',
      sizeBytes: 159_700,
      effectiveBits: 4,
      value: 0.9099,
      drop: 0.0071,
      verdict: 'fail',
      dominated: true,
      predictedLoss: 0.01,
      measuredLoss: 0.012,
      bits: [4, 4],
    },
    { budget: { limitBytes: 9_000, source: '9000 bytes' }, status: 'infeasible', smallest: 89_012 },
  ],
  sensitivity: reportOf([]).sensitivity,
  timings: { evaluate: 12 },
  environment: reportOf([]).environment,
  warnings: [],
};

const { schemaVersion, model, float, quantized, drop, environment } = reportOf([]);

export const EVALUATION_REPORT: EvaluationReport = {
  schemaVersion,
  verdict: 'fail',
  passed: false,
  checks: CHECKS,
  model,
  artifact: { path: '/w/other.onnx', sizeBytes: 131_000, sha256: '1' },
  float,
  quantized,
  drop,
  environment,
};

export function fakeCommands(overrides: Partial<Commands> = {}): Commands {
  return {
    runGate: async (_config, reportProgress) => {
      reportProgress({ activity: 'measuring', done: 0, total: 2, unit: 'forwards' });
      reportProgress({ activity: 'measuring', done: 2, total: 2, unit: 'forwards' });
      return reportOf([]);
    },
    planMeasurement: async (_config, count) => ({ matrix: '{"include":[]}', token: `${count}:` }),
    measureShard: async () => ({ fileName: 'share.jsonl', content: '' }),
    inspect: async () => '20 layers\n',
    describeModel: async () => ({ sizeBytes: 5, inputs: [], layerCount: 20, weightCount: 9 }),
    solveProgram: async () => ({ report: PROGRAM_REPORT, problems: [] }),
    solveKept: async () => ({ report: SOLVED_REPORT, problems: [] }),
    pareto: async () => PARETO_REPORT,
    evaluate: async (_config, path) => ({ ...EVALUATION_REPORT, artifact: { ...EVALUATION_REPORT.artifact, path } }),
    cache: async (action, directory) => `${action} ${directory}\n`,
    renderTerminal: ({ verdict }, { color }) => `${color ? '<color>' : ''}verdict: ${verdict}\n`,
    renderSummary: ({ verdict }) => `## ${verdict}\n`,
    ...overrides,
  };
}
