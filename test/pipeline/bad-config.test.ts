import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorText, refusal } from './refusal.ts';
import { EXAMPLE, newFolder, type Settings, writeConfig, writeTo } from './workspace.ts';

/** What a run of the example with these settings says, before any session was opened. */
async function messageOf(settings: Settings, argv?: readonly string[], folder = newFolder()): Promise<string> {
  writeConfig(folder, settings);
  const { message, sessionCount } = await refusal(folder, argv);
  expect(sessionCount).toBe(0);
  return message;
}

describe('bad config', () => {
  it('run: a missing config', async () => {
    const { message } = await refusal(newFolder(), ['run', 'nowhere.yml']);
    expect(message).toBe(errorText(['<folder>/nowhere.yml: no such file or folder', 'check the path']));
  });

  it('run: unknown keys, at the top and inside, with their place and the nearest key', async () => {
    const folder = newFolder();
    const text = readFileSync(writeConfig(folder), 'utf8').replace('  method: rtn', '  methods: rtn');
    writeTo(folder, 'bitgate.yml', `${text}gates: {}\n`);
    const { message } = await refusal(folder);
    const lines = text.split('\n');
    const inside = lines.findIndex((line) => line.startsWith('  methods')) + 1;
    expect(message).toBe(
      errorText(
        [`bitgate.yml:${inside}:3: unknown key \`methods\`; did you mean \`method\`?`],
        [`bitgate.yml:${lines.length}:1: unknown key \`gates\`; did you mean \`gate\`?`],
      ),
    );
  });

  it('run: values of a wrong type, all of them at once', async () => {
    const message = await messageOf({ quantize: { bits: 'four' }, seed: 'x', gate: { min: 97 } });
    expect(message).toMatch(
      /^error: bitgate\.yml:8:9: `quantize\.bits` is "four", expected a list that is not empty, each item a whole number from 2 to 8$/m,
    );
    expect(message).toMatch(/^error: bitgate\.yml:\d+:\d+: `gate\.min` is 97, expected a share from 0 to 1/m);
    expect(message).toMatch(
      /^error: bitgate\.yml:\d+:\d+: `seed` is "x", expected a whole number from 0 to 4294967295$/m,
    );
  });

  it('run: a missing model and missing data are found together', async () => {
    const data = { calibration: { path: 'no.npz' }, evaluation: { path: 'neither' } };
    const fix = 'check the path, which is relative to the config';
    expect(await messageOf({ model: 'no.onnx', data })).toBe(
      errorText(
        [
          '<folder>/no.onnx: the model is missing, expected a file',
          'check the path: `model` is relative to the config, an option to the working directory',
        ],
        ['<folder>/no.npz: the calibration data is missing', fix],
        ['<folder>/neither: the evaluation data is missing', fix],
      ),
    );
  });
});

describe('bad output', () => {
  it.each(['output', 'report'])('run: a place for the %s under a file cannot be written', async (key) => {
    const folder = newFolder();
    writeTo(folder, 'plain', 'x');
    expect(await messageOf({ [key]: 'plain/place' }, ['run'], folder)).toMatch(
      /^error: <folder>\/plain(\/place)?: cannot be written: not a directory\n {2}fix: choose a folder that this user can write to\n$/,
    );
  });

  it('run: a folder where the artifact should go', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'q.onnx'));
    expect(await messageOf({ output: 'q.onnx' }, ['run'], folder)).toBe(
      errorText(['<folder>/q.onnx: a folder, expected a place for a file', 'name a file']),
    );
  });

  it('run: the model itself is never overwritten', async () => {
    const folder = newFolder();
    const path = writeTo(folder, 'm.onnx', readFileSync(join(EXAMPLE, 'glyphs.onnx')));
    expect(await messageOf({ model: 'm.onnx', output: 'm.onnx' }, ['run'], folder)).toBe(
      errorText([
        'bitgate.yml:3:9: the output <folder>/m.onnx is one of the inputs and would overwrite it',
        'choose another path for the output',
      ]),
    );
    expect(readFileSync(path).equals(readFileSync(join(EXAMPLE, 'glyphs.onnx')))).toBe(true);
  });
});

describe('bad budget', () => {
  it('run: bits per weight below the minimum name the smallest feasible', async () => {
    expect(await messageOf({ budget: { bits: 1.5 } })).toBe(
      errorText([
        'bitgate.yml:6:9: no allocation fits the budget of 1.5 bits per weight; the smallest has 2',
        'raise the budget, offer smaller bit-widths under quantize.bits, or pin fewer layers',
      ]),
    );
  });

  it('run: a pin may make a budget infeasible', async () => {
    const message = await messageOf({ quantize: { pin: { 'block3.*': 8 } } });
    // (73,728 · 8 + 27,456 · 2) / 101,184 weights
    expect(message).toContain('no allocation fits the budget of 3 bits per weight; the smallest has 6.372\n');
  });

  it('run: a pinned layer that alone exceeds the budget is named', async () => {
    const settings = { budget: { size: '30 KB' }, quantize: { pin: { 'block3.conv1': 8 } } };
    expect(await messageOf(settings)).toMatch(
      /^error: bitgate\.yml:6:9: no allocation fits the budget of 30000 bytes; the smallest artifact has \d+ bytes; layer 'block3\.conv1' alone takes \d+ at 8 bits, its only width\n/,
    );
  });

  it('run: the size that is named as the smallest is one', async () => {
    const folder = newFolder();
    const message = await messageOf({ budget: { size: '20 KB' } }, ['run'], folder);
    const smallest = Number(/the smallest artifact has (\d+) bytes\n/.exec(message)?.[1]);
    expect(message).toBe(
      errorText([
        `bitgate.yml:6:9: no allocation fits the budget of 20000 bytes; the smallest artifact has ${smallest} bytes`,
        `raise the budget to ${smallest} bytes or more, or offer smaller bit-widths under quantize.bits`,
      ]),
    );
    expect(await messageOf({ budget: { size: smallest - 1 } }, ['run'], folder)).toContain(`has ${smallest} bytes`);
  });

  it('run: a budget from the command line is at no place of the config', async () => {
    expect(await messageOf({}, ['run', '--size', '1%'])).toMatch(
      /^error: no allocation fits the budget of 4195 bytes; the smallest artifact has \d+ bytes\n/,
    );
  });
});

describe('bad pins and ties', () => {
  const SEE = 'see `bitgate inspect` for the names of the layers';

  it('run: pins that name no layer, with the nearest one', async () => {
    expect(await messageOf({ quantize: { pin: { 'block1.conv': 8, 'x*': 4 } } })).toBe(
      errorText(
        [
          "<folder>/bitgate.yml: quantize.pin names 'block1.conv', but no layer is called so; did you mean 'block1.conv1'?",
          SEE,
        ],
        ["<folder>/bitgate.yml: quantize.pin names 'x*', but no layer is called so", SEE],
      ),
    );
  });

  it.each([
    [[['nothing*']], '[nothing*] matches no layer'],
    [[['block1.*'], ['*.conv1', 'stem']], "[*.conv1, stem] ties 'block1.conv1', which another tie holds already"],
  ])('run: the ties %j', async (tie, what) => {
    expect(await messageOf({ quantize: { tie } })).toBe(
      errorText([`<folder>/bitgate.yml: quantize.tie ${what}`, 'correct or remove the tie']),
    );
  });

  it('run: tied layers that are pinned apart', async () => {
    const pin = { 'block1.conv1': 8, 'block1.conv2': 2 };
    expect(await messageOf({ quantize: { pin, tie: [['block1.*']] } })).toBe(
      errorText([
        '<folder>/bitgate.yml: quantize.tie [block1.*] holds layers that have no width in common, because their widths are fixed apart',
        'correct or remove the tie',
      ]),
    );
  });
});
