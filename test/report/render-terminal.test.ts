import { describe, expect, it } from 'vitest';
import { renderTerminal } from '../../src/report/render-terminal.ts';
import { FULL, HOSTILE_NAMES, hostileReport, layersNamed, SPARE } from './reports.ts';

describe('renderTerminal', () => {
  it('renderTerminal: the verdict first, then all that led to it', () => {
    expect(renderTerminal(FULL, { color: false })).toBe(`bitgate: FAIL, 1 check of 5 failed

  ✗ artifact size       131,000 bytes  at most 125,000 bytes
      104.8 % of it used
  ✓ top1                      91.14 %  at least 88.50 %
      95 % interval 89.03 to 92.87 %
  ? top1 drop             0.59 points  at most 1.00 points
      95 % interval -0.26 to 1.54 points; about 4,300 samples like these would settle it (an estimate)
  ✓ non-finite outputs      0 samples  at most 0 samples
  ! top1 drop             0.59 points  warns above 0.50 points
      95 % interval -0.26 to 1.54 points

  float model    /w/models/resnet20.onnx, 1,094,321 bytes
  artifact       /w/build/resnet20.quant.onnx, 131,000 bytes, 12.0 % of the float file, 3.47 bits per weight, packed
  budget         125,000 bytes, set as 125 KB
  further limit  bops, 4,194,304,000 of at most 5,000,000,000
  further limit  latency on the phone, 11.25 of at most 12.5 ms
  evaluation     top1 91.72 % in float, 91.14 % quantized, on 846 samples, divergence 0.0422 nats, same class in 97.0 %
  speed          13.6 ms in float, 13.4 ms quantized, 0.99 of the float time, 64 samples at once
  quantizer      gptq, one scale per channel, correction affine
  sensitivities  pairwise, kl: 60 singles and 1,710 pairs on 512 samples, 598 forwards in 112 s; cache partial sens-1f2e, 25 h 0 min old
  solver         predicted loss 0.0123, at most 0.8 % from optimal (bound 0.0122), in 0.3 s
  ran on         bitgate 0.1.0, onnxruntime 1.30.0 on cpu, node 24.21.0, linux-x64

search for the smallest model
  the smallest measured model that passes has 131,000 bytes; the 846 evaluation samples were looked at 3 times, each with intervals of 99.5 %
      budget    bytes  bits per weight     top1         drop  verdict
     290,000  289,512             8.00  91.68 %  0.05 points  passed
  →  132,000  131,000             3.47  91.14 %  0.59 points  passed
      95,000   94,820             2.51  89.87 %  1.85 points  inconclusive

allocation
  layer           operator  weights  bits             bytes
  conv1           Conv          432  ████████      8    580
  layer1.0.conv1  Conv        2,304  ████░░░░      4  1,300
  layer3.2.conv2  Conv       36,864  ██░░░░░░      2  9,700
  linear          Gemm          640  ████████  float  2,560

selection by measurement
     candidate  predicted loss  measured loss
     pairwise           0.0123         0.0241
     diagonal           0.0187         0.0262
  →  swap 2             0.0131         0.0215
  rank correlation 0.5

time 2 min 1 s
  read the model         0.1 s
  measure sensitivities  112 s  ███████████████████
  evaluate               8.0 s  █

warnings
  ! calibration samples look like training samples

reproduce
  bitgate run ci/bitgate.yml
`);
  });

  it('renderTerminal: what is absent leaves no empty section', () => {
    const text = renderTerminal(SPARE, { color: false });
    expect(text).toMatch(/^bitgate: PASS, all 1 check passed\n/);
    expect(text).toContain('cache off');
    for (const section of ['selection', 'warnings', 'quantizer', 'undefined', '\n\n\n']) {
      expect(text).not.toContain(section);
    }
  });

  it.each([
    ['warn', true, 'WARN, every limit is kept, 1 warning limit exceeded'],
    ['inconclusive', false, 'INCONCLUSIVE, too few samples to decide 1 check; this counts as failed'],
    ['inconclusive', true, 'INCONCLUSIVE, too few samples to decide 1 check; this only warns'],
  ] as const)('renderTerminal: %s, passed %s, says what it means', (verdict, passed, sentence) => {
    expect(renderTerminal({ ...FULL, verdict, passed }, { color: false })).toContain(`bitgate: ${sentence}\n`);
  });

  it('renderTerminal: colours change nothing but colours', () => {
    const colored = renderTerminal(FULL, { color: true });
    expect(colored).toContain('\u001b[31m✗\u001b[0m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is the point.
    expect(colored.replaceAll(/\u001b\[\d+m/g, '')).toBe(renderTerminal(FULL, { color: false }));
  });

  it('renderTerminal: kl is in nats, and not told twice', () => {
    const kl = { metric: 'kl', samples: 27 } as const;
    const report = { ...FULL, float: { ...kl, value: 0 }, quantized: { ...kl, value: 0.0123 }, klToFloat: 0.0123 };
    expect(renderTerminal(report, { color: false })).toContain('kl 0.0123 nats, on 27 samples, same class in 97.0 %\n');
  });

  it('renderTerminal: a budget in bits is told in bits', () => {
    const budget = { limitBitsPerWeight: 3.5, source: '3.5 bits' };
    expect(renderTerminal({ ...FULL, budget }, { color: false })).toContain('3.5 bits per weight, set as 3.5 bits\n');
  });

  it('renderTerminal: of 2,000 layers it shows the first and counts the rest', () => {
    const allocation = layersNamed(Array.from({ length: 2000 }, (_, index) => `conv${index}`));
    const text = renderTerminal({ ...FULL, allocation }, { color: false });
    expect(text).toContain('conv255 ');
    expect(text).not.toContain('conv256 ');
    expect(text).toContain('  and 1,744 more layers, see result.json\n');
  });

  it.each(HOSTILE_NAMES)('renderTerminal: %j stays inside its line', (name) => {
    const text = renderTerminal(hostileReport(name), { color: false });
    const lines = text.split('\n');
    expect(lines).toHaveLength(renderTerminal(hostileReport('x'), { color: false }).split('\n').length);
    expect(text).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    expect(text).not.toContain('##[');
    expect(lines.filter((line) => line.trimStart().startsWith('::'))).toEqual([]);
  });
});
