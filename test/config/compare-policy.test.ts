import { describe, expect, it } from 'vitest';
import { comparePolicies, withPolicyOf } from '../../src/config/compare-policy.ts';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';

type Other = { budget?: string; evaluation?: string; output?: string; quantize?: string; constraints?: string };

function config(
  gate: string,
  {
    budget = '{ size: 125 KB }',
    evaluation = '{ path: t.npz }',
    output = 'q.onnx',
    quantize = '{}',
    constraints = '[]',
  }: Other = {},
) {
  return parseConfig(
    `version: 1
model: m.onnx
output: ${output}
${budget === '' ? '' : `budget: ${budget}\n`}quantize: ${quantize}
data:
  calibration: { path: c.npz }
  evaluation: ${evaluation}
gate: ${gate}
constraints: ${constraints}
`,
    '/w/bitgate.yml',
  );
}

/** `name: base > head`, `>` where the change demands less, `<` where it demands more. */
function outline(base: Config, head: Config): readonly string[] {
  return comparePolicies(base, head).map(
    ({ name, base, head, isWeaker }) => `${name}: ${base} ${isWeaker ? '>' : '<'} ${head}`,
  );
}

describe('comparePolicies', () => {
  it.each([
    ['{ min: 0.9 }', '{ min: 0.85 }', ['gate.min: 0.9 > 0.85']],
    ['{ min: 0.9 }', '{ min: 0.95 }', ['gate.min: 0.9 < 0.95']],
    ['{ min: 0.9 }', '{}', ['gate.min: 0.9 > not set']],
    ['{}', '{ min: 0.9 }', ['gate.min: not set < 0.9']],
    ['{ max-drop: 0.01 }', '{ max-drop: 0.02 }', ['gate.max-drop: 0.01 > 0.02']],
    ['{ max-drop: 0.01 }', '{ max-drop: 0 }', ['gate.max-drop: 0.01 < 0']],
    ['{ max-size: 1 KB }', '{ max-size: 2 KB }', ['gate.max-size: 1000 > 2000']],
    ['{ metric: kl, max: 0.1 }', '{ metric: kl, max: 0.2 }', ['gate.max: 0.1 > 0.2']],
    ['{ confidence: 0.95 }', '{ confidence: 0.9 }', ['gate.confidence: 0.95 > 0.9']],
    ['{ confidence: 0.95 }', '{}', ['gate.confidence: 0.95 > not set']],
    ['{}', '{ inconclusive: warn }', ['gate.inconclusive: fail > warn']],
    ['{ inconclusive: warn }', '{}', ['gate.inconclusive: warn < fail']],
    ['{ metric: top1 }', '{ metric: top5 }', ['gate.metric: top1 > top5']],
    ['{}', '{ output: other }', ['gate.output: not set > other']],
    ['{ warn: { min: 0.9 } }', '{ warn: { min: 0.8 } }', ['gate.warn.min: 0.9 > 0.8']],
    ['{ min: 0.9, max-drop: 0.01 }', '{ max-drop: 0.01, min: 0.9 }', []],
  ])('comparePolicies: %s to %s', (base, head, expected) => {
    expect(outline(config(base), config(head))).toEqual(expected);
  });

  it.each([
    ['{ size: 125 KB }', '{ size: 130 KB }', 'budget: 125000 bytes > 130000 bytes'],
    ['{ size: 25% }', '{ size: 20% }', 'budget: 25 % < 20 %'],
    ['{ bits: 3 }', '{ bits: 4 }', 'budget: 3 bits per weight > 4 bits per weight'],
    ['{ bits: 3 }', '{ size: 1 KB }', 'budget: 3 bits per weight > 1000 bytes'],
    ['{ bits: 3 }', 'auto', 'budget: 3 bits per weight > auto'],
    ['auto', '{ bits: 3 }', 'budget: auto > 3 bits per weight'],
  ])('comparePolicies: the budget, %s to %s', (base, head, expected) => {
    const [before, after] = [base, head].map((budget) => config('{ min: 0.5 }', { budget }));
    expect(outline(before!, after!)).toEqual([expected]);
  });

  it.each([
    ['[{ bops: 10% }]', '[{ bops: 20% }]', 'constraints.bops: 10 % of the float model > 20 % of the float model'],
    ['[{ bops: 2 G }]', '[{ bops: 1 G }]', 'constraints.bops: 2000000000 bit operations < 1000000000 bit operations'],
    ['[{ bops: 10% }]', '[{ bops: 1 G }]', 'constraints.bops: 10 % of the float model > 1000000000 bit operations'],
    ['[{ bops: 10% }]', '[]', 'constraints.bops: 10 % of the float model > not set'],
    ['[]', '[{ bops: 10% }]', 'constraints.bops: not set < 10 % of the float model'],
    [
      '[{ name: a b, costs: c.json, limit: 3, unit: ms }]',
      '[{ name: a b, costs: c.json, limit: 4, unit: ms }]',
      'constraints["a b"]: 3 ms by /w/c.json > 4 ms by /w/c.json',
    ],
    [
      '[{ name: a, costs: c.json, limit: 3 }]',
      '[{ name: a, costs: d.json, limit: 2 }]',
      'constraints.a: 3 by /w/c.json > 2 by /w/d.json',
    ],
  ])('comparePolicies: further limits, %s to %s', (base, head, expected) => {
    expect(outline(config('{}', { constraints: base }), config('{}', { constraints: head }))).toEqual([expected]);
  });

  it.each([
    ['{ path: a }', '{ path: a, samples: 10 }', 'data.evaluation.samples: all > 10'],
    ['{ path: a, samples: 10 }', '{ path: a, samples: 20 }', 'data.evaluation.samples: 10 < 20'],
  ])('comparePolicies: evaluation, %s to %s', (base, head, expected) => {
    expect(outline(config('{}', { evaluation: base }), config('{}', { evaluation: head }))).toEqual([expected]);
  });

  it('withPolicyOf: a change that gives its allocation is held to the size of the base; a base that demands no size leaves the own', () => {
    const given = { budget: '', quantize: '{ allocation: a.json }' };
    const [sized, auto] = [config('{ min: 0.5 }'), config('{ min: 0.5 }', { budget: 'auto' })];
    const [free, large] = [config('{ min: 0.5 }', given), config('{ min: 0.5 }', { budget: '{ size: 1 MB }' })];
    expect(withPolicyOf(sized, free).budget).toEqual(sized.budget);
    expect(outline(sized, free)).toEqual(['budget: 125000 bytes > not set']);
    for (const [base, head] of [
      [auto, free],
      [free, large],
      [free, auto],
    ] as const) {
      expect(withPolicyOf(base, head).budget).toEqual(head.budget);
      expect(outline(base, head)).toEqual([]);
    }
  });

  it('comparePolicies: what demands nothing may differ', () => {
    expect(outline(config('{}'), config('{}', { output: 'other.onnx' }))).toEqual([]);
  });
});

it('withPolicyOf: limits, budget and sample count of the base; everything else, and the places of limits, of the change', () => {
  const base = config('{ min: 0.9, max-drop: 0.01 }', {
    evaluation: '{ path: t.npz, samples: 100 }',
    constraints: '[{ bops: 10% }, { name: a, costs: c.json, limit: 3 }]',
  });
  const head = config('{ min: 0.5 }', {
    constraints: '[{ bops: 90% }]',
    budget: '{ size: 200 KB }',
    evaluation: '{ path: n.npz }',
    output: 'n.onnx',
  });
  const held = withPolicyOf(base, head);
  expect(held.gate).toEqual({ ...base.gate, locations: head.gate.locations });
  expect(held.budget).toEqual(base.budget);
  const { location: _, ...table } = base.constraints[1]!;
  expect(held.constraints).toEqual([{ ...base.constraints[0], location: head.constraints[0]!.location }, table]);
  expect(held.data.evaluation).toEqual({ path: '/w/n.npz', sampleCount: 100 });
  expect(held.outputPath).toBe('/w/n.onnx');
});

describe('the command of a metric', () => {
  /** A gate by a command, or by samples. */
  function gate(evaluate?: string): Config {
    const samples = evaluate === undefined ? '  evaluation: { path: t.npz, samples: 10 }\n' : '';
    const metric = evaluate === undefined ? '{ min: 0.5 }' : '{ metric: command }';
    return parseConfig(
      `version: 1
model: m.onnx
output: q.onnx
budget: { size: 1 KB }
data:
  calibration: { path: c.npz }
${samples}gate: ${metric}
${evaluate === undefined ? '' : `evaluate: ${evaluate}\n`}`,
      '/w/bitgate.yml',
    );
  }

  const [samples, command] = [gate(), gate('{ command: [./measure.py] }')];

  it('comparePolicies: another command, or other values that are good, cannot be told to demand as much', () => {
    expect(outline(command, gate('{ command: ./measure.py }'))).toEqual([
      'evaluate.command: ["./measure.py"] > "./measure.py"',
    ]);
    expect(outline(command, gate('{ command: [./measure.py], better: lower }'))).toEqual([
      'evaluate.better: higher > lower',
    ]);
    expect(outline(command, gate('{ command: [./measure.py], time-limit: 1h }'))).toEqual([]);
    expect(outline(command, samples)).toEqual([
      'gate.metric: command > top1',
      'gate.min: not set < 0.5',
      'evaluate.command: ["./measure.py"] > not set',
      'evaluate.better: higher > not set',
    ]);
  });

  it('withPolicyOf: the command is that of the base, its place and its time limit are those of the change', () => {
    const head = gate('{ time-limit: 1h, command: [./forged.py], better: lower }');
    const held = withPolicyOf(command, head);
    expect(held.evaluate).toEqual({
      command: ['./measure.py'],
      better: 'higher',
      timeLimitSeconds: 3600,
      location: head.evaluate!.location,
    });
    expect(head.evaluate!.location).toMatchObject({ line: 8, column: 38 });
  });

  it('withPolicyOf: a change can neither bring a command nor leave one out', () => {
    const without = withPolicyOf(samples, command);
    expect(without.evaluate).toBeUndefined();
    expect(without.gate.metric).toBe('top1');
    expect(without.data.evaluation).toEqual({ path: '/w/t.npz', sampleCount: 10 });
    const brought = withPolicyOf(command, samples);
    expect(brought.evaluate).toEqual(command.evaluate);
    expect(brought.gate.metric).toBe('command');
    expect(brought.data.evaluation).toBeUndefined();
  });
});
