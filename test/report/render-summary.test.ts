import { describe, expect, it } from 'vitest';
import type { GateReport } from '../../src/report/gate-report.ts';
import { renderSummary } from '../../src/report/render-summary.ts';
import { FULL, HOSTILE_NAMES, hostileReport, layersNamed, SPARE } from './reports.ts';

/** Beyond it the runner drops a summary. */
const MEBIBYTE = 1_048_576;

function sizeOf(report: GateReport): number {
  return new TextEncoder().encode(renderSummary(report)).length;
}

/** The characters that make structure, in order, once what is certainly text is gone. */
function structureOf(markdown: string): string {
  return markdown.replaceAll(/&#\d+;/g, '').replaceAll(/[^\n|<>`*~[\]!\\$@{}#_"'&]/g, '');
}

describe('renderSummary', () => {
  it('renderSummary: the verdict, the checks and the facts in tables, the rest folded', () => {
    expect(renderSummary(FULL)).toBe(`## ❌ bitgate: FAIL

1 check of 5 failed

|  | check | measured | limit |  |
| :-- | :-- | --: | :-- | :-- |
| ❌ failed | artifact size | 131,000 bytes | at most 125,000 bytes | 104.8 % of it used |
| ✅ passed | top1 | 91.14 % | at least 88.50 % | 95 % interval 89.03 to 92.87 % |
| ❔ inconclusive | top1 drop | 0.59 points | at most 1.00 points | 95 % interval -0.26 to 1.54 points; about 4,300 samples like these would settle it (an estimate) |
| ✅ passed | non-finite outputs | 0 samples | at most 0 samples |  |
| ⚠️ warning | top1 drop | 0.59 points | warns above 0.50 points | 95 % interval -0.26 to 1.54 points |

|  |  |
| :-- | :-- |
| float model | /w/models/resnet20.onnx, 1,094,321 bytes |
| artifact | /w/build/resnet20.quant.onnx, 131,000 bytes, 12.0 % of the float file, 3.47 bits per weight, packed |
| budget | 125,000 bytes, set as 125 KB |
| further limit | bops, 4,194,304,000 of at most 5,000,000,000 |
| further limit | latency on the phone, 11.25 of at most 12.5 ms |
| evaluation | top1 91.72 % in float, 91.14 % quantized, on 846 samples, divergence 0.0422 nats, same class in 97.0 % |
| speed | 13.6 ms in float, 13.4 ms quantized, 0.99 of the float time, 64 samples at once |
| quantizer | gptq, one scale per channel, correction affine |
| sensitivities | pairwise, kl: 60 singles and 1,710 pairs on 512 samples, 598 forwards in 112 s; cache partial sens-1f2e, 25 h 0 min old |
| solver | predicted loss 0.0123, at most 0.8 % from optimal (bound 0.0122), in 0.3 s |
| ran on | bitgate 0.1.0, onnxruntime 1.30.0 on cpu, node 24.21.0, linux-x64 |

- ⚠️ calibration samples look like training samples

<details><summary>Search for the smallest model</summary>

the smallest measured model that passes has 131,000 bytes; the 846 evaluation samples were looked at 3 times, each with intervals of 99.5 %

|  | budget | bytes | bits per weight | top1 | drop | verdict |
| :-- | --: | --: | --: | --: | --: | :-- |
|  | 290,000 | 289,512 | 8.00 | 91.68 % | 0.05 points | passed |
| → | 132,000 | 131,000 | 3.47 | 91.14 % | 0.59 points | passed |
|  | 95,000 | 94,820 | 2.51 | 89.87 % | 1.85 points | inconclusive |

</details>

<details><summary>Allocation over 4 layers</summary>

| layer | operator | weights | bits | bytes |
| :-- | :-- | --: | :-- | --: |
| <code>conv1</code> | <code>Conv</code> | 432 | ████████ 8 | 580 |
| <code>layer1.0.conv1</code> | <code>Conv</code> | 2,304 | ████ 4 | 1,300 |
| <code>layer3.2.conv2</code> | <code>Conv</code> | 36,864 | ██ 2 | 9,700 |
| <code>linear</code> | <code>Gemm</code> | 640 | ████████ float | 2,560 |

</details>

<details><summary>Predicted against measured loss</summary>

| candidate | predicted loss | measured loss |
| :-- | --: | --: |
| <code>pairwise</code> | 0.0123 | 0.0241 |
| <code>diagonal</code> | 0.0187 | 0.0262 |
| → <code>swap 2</code> | 0.0131 | 0.0215 |

Rank correlation 0.5.

</details>

<details><summary>Time 2 min 1 s</summary>

| stage | time | share |
| :-- | --: | --: |
| read the model | 0.1 s | 0 % |
| measure sensitivities | 112 s | 93 % |
| evaluate | 8.0 s | 7 % |

</details>

Reproduce:

<pre><code>bitgate run ci/bitgate.yml</code></pre>
`);
  });

  it('renderSummary: what is absent leaves no section', () => {
    const text = renderSummary(SPARE);
    expect(text).toMatch(/^## ✅ bitgate: PASS\n/);
    expect(text).not.toMatch(/undefined|Predicted against|\n\n\n/);
  });

  it('renderSummary: all of 2,000 layers with ordinary names are shown, below 1 MiB', () => {
    const names = Array.from({ length: 2000 }, (_, index) => `/backbone/stage.${index}/block.3/conv_pw/Conv`);
    const report = { ...FULL, allocation: layersNamed(names) };
    expect(renderSummary(report)).toContain('/backbone/stage.1999/');
    expect(sizeOf(report)).toBeLessThan(MEBIBYTE);
  });

  it.each(['🙂', '@', '\u0000', '_', '"'])(
    'renderSummary: however many and long names of %j are, it stays below 1 MiB and counts what it leaves out',
    (character) => {
      const name = character.repeat(5000);
      const report: GateReport = {
        ...hostileReport(name),
        allocation: layersNamed(Array(2000).fill(name)),
        warnings: Array(500).fill(name),
        timings: Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index} ${name}`, 1])),
        selection: {
          candidates: Array(500).fill({ name, predicted: 1 / 3, measured: 1e-300 / 3, chosen: true }),
        },
      };
      expect(sizeOf(report)).toBeLessThan(MEBIBYTE);
      expect(renderSummary(report)).toMatch(/and [\d,]+ more layers, see result\.json/);
      expect(renderSummary(report)).toContain('- and 480 more, see result.json');
    },
  );

  it.each(HOSTILE_NAMES)('renderSummary: %j makes no structure', (name) => {
    const text = renderSummary(hostileReport(name));
    expect(structureOf(text)).toBe(structureOf(renderSummary(hostileReport('x'))));
    expect(text).not.toMatch(/[^\P{Cc}\n]|[\p{Zl}\p{Zp}\p{Cs}]|[\u202a-\u202e\u2066-\u2069]/u);
    expect(text).not.toMatch(/:\/\/|www\.|##\[/);
  });
});
