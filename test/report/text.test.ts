import { describe, expect, it } from 'vitest';
import type { Check } from '../../src/gate/verdict.ts';
import { checkText, describeCheck } from '../../src/report/check-text.ts';
import { htmlText } from '../../src/report/html-text.ts';
import { markdownCode, markdownProse } from '../../src/report/markdown-text.ts';
import {
  bytesText,
  countText,
  decimalText,
  durationText,
  percentText,
  realText,
} from '../../src/report/number-text.ts';
import { plainText } from '../../src/report/plain-text.ts';

describe('plainText', () => {
  it.each([
    ['layer1.0/conv_2', 'layer1.0/conv_2'],
    ['épaule 肩 🙂', 'épaule 肩 🙂'],
    ['a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['\u001b[31mred', '\\u{1b}[31mred'],
    ['\u009b31m', '\\u{9b}31m'],
    ['x\u0000y\u007f', 'x\\u{0}y\\u{7f}'],
    ['a\u202eb\u2066c\u200b\ufeff', 'a\\u{202e}b\\u{2066}c\\u{200b}\\u{feff}'],
    ['a\u2028b\u2029c', 'a\\u{2028}b\\u{2029}c'],
    ['half \ud800 pair', 'half \\u{d800} pair'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['::error::x', '\\::error::x'],
    ['  ::error::x', '\\  ::error::x'],
    ['aten::conv', 'aten::conv'],
    ['x##[error]y', 'x##\\[error]y'],
  ])('plainText: %j is %j', (text, expected) => {
    expect(plainText(text)).toBe(expected);
  });

  it('plainText: a long name loses its middle, by whole characters', () => {
    expect(plainText('abcdefghij', 5)).toBe('ab…ij');
    expect(plainText('abcdefghij', 10)).toBe('abcdefghij');
    expect(plainText('🙂'.repeat(9), 4)).toBe('🙂…🙂🙂');
    expect(plainText('x'.repeat(200))).toHaveLength(80);
    expect(plainText('x'.repeat(200), Number.POSITIVE_INFINITY)).toHaveLength(200);
  });
});

describe('plainText, very long', () => {
  it.each(['🙂\n', '\ud800x', 'abc', '\u200b'])(
    'plainText: %j over and over is cut as if it were spelled out whole',
    (part) => {
      for (const count of [3, 5, 13, 26, 27, 500]) {
        for (const text of [`ab🙂${part.repeat(count)}yz`, part.repeat(count)]) {
          const whole = [...plainText(text, Number.POSITIVE_INFINITY)];
          const cut = whole.length <= 13 ? whole : [...whole.slice(0, 6), '…', ...whole.slice(-6)];
          expect(plainText(text, 13), `${count}`).toBe(cut.join(''));
        }
      }
    },
  );
});

describe('markdown and HTML text', () => {
  it.each([
    ['conv1', '<code>conv1</code>'],
    ['layer_1.0/conv-2', '<code>layer_1.0/conv-2</code>'],
    ['__init__', '<code>&#95;&#95;init&#95;&#95;</code>'],
    ['a|b\\|c', '<code>a&#124;b&#92;&#124;c</code>'],
    ['`x`', '<code>&#96;x&#96;</code>'],
    ['</code><b>&amp;', '<code>&#60;/code&#62;&#60;b&#62;&#38;amp;</code>'],
    ['[a](b) ![c](d)', '<code>&#91;a&#93;(b) &#33;&#91;c&#93;(d)</code>'],
    ['https://e.x', '<code>https&#58;//e.x</code>'],
    ['see www.e.x', '<code>see www&#46;e.x</code>'],
    ['*a* ~b~ $c$', '<code>&#42;a&#42; &#126;b&#126; &#36;c&#36;</code>'],
    ['a\nb', '<code>a&#92;nb</code>'],
  ])('markdownCode: %j is %j', (text, expected) => {
    expect(markdownCode(text)).toBe(expected);
  });

  it('markdownProse: a name mentions nobody and refers to no issue', () => {
    expect(markdownProse('ask @team about #12: now')).toBe('ask &#64;&#8203;team about &#35;&#8203;12: now');
  });

  it('htmlText: what could be markup is text', () => {
    expect(htmlText(`<a href="x" title='y'>&`)).toBe('&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;');
  });
});

describe('number texts', () => {
  it('countText: thousands are grouped', () => {
    expect([0, 999, 1000, 1_234_567, -1234].map(countText)).toEqual(['0', '999', '1,000', '1,234,567', '-1,234']);
    expect([1, 2].map(bytesText)).toEqual(['1 byte', '2 bytes']);
  });

  it('durationText: seconds, minutes, hours', () => {
    expect([0.04, 9.96, 61, 119.6, 3599, 7200].map(durationText)).toEqual([
      '0.0 s',
      '10.0 s',
      '61 s',
      '2 min 0 s',
      '59 min 59 s',
      '2 h 0 min',
    ]);
  });

  it('decimalText: zero has no sign', () => {
    expect([-0.0001, 0.0001, -0.01].map((value) => decimalText(value, 2))).toEqual(['0.00', '0.00', '-0.01']);
  });

  it('realText: three digits that count', () => {
    expect([0.012345, 1234.5, 4.5678e-9, 0].map((value) => realText(value))).toEqual([
      '0.0123',
      '1230',
      '4.57e-9',
      '0',
    ]);
  });

  it('number texts: what is no finite number says so', () => {
    for (const text of [countText, bytesText, percentText, realText, durationText]) {
      expect(text(Number.NaN)).toMatch(/^not a number/);
      expect(text(Number.POSITIVE_INFINITY)).toMatch(/^infinite/);
      expect(text(Number.NEGATIVE_INFINITY)).toMatch(/^minus infinite/);
    }
  });
});

describe('checkText', () => {
  const accuracy: Check = {
    name: 'top1',
    measured: 0.9113,
    limit: 0.9,
    unit: 'ratio',
    bound: 'at-least',
    outcome: 'pass',
    passed: true,
    limitName: 'min',
  };

  it('describeCheck: value and limit', () => {
    expect(describeCheck(accuracy)).toBe('top1 is 91.13 %, the limit is at least 90.00 %');
  });

  it('describeCheck: values that differ never read the same', () => {
    expect(describeCheck({ ...accuracy, measured: 0.899996 })).toBe(
      'top1 is 89.9996 %, the limit is at least 90.0000 %',
    );
    expect(describeCheck({ ...accuracy, name: 'kl', unit: 'nats', measured: 0.050001, limit: 0.05 })).toBe(
      'kl is 0.050001 nats, the limit is at least 0.05 nats',
    );
  });

  it('describeCheck: a drop is in points, with its interval and what would settle it', () => {
    expect(
      describeCheck({
        ...accuracy,
        name: 'top1 drop',
        measured: 0.0059,
        limit: 0.01,
        bound: 'at-most',
        outcome: 'inconclusive',
        interval: { lower: -0.002, upper: 0.0154, confidence: 0.95, method: 'tango' },
        samplesToSettle: 4321,
      }),
    ).toBe(
      'top1 drop is 0.59 points, the limit is at most 1.00 points; 95 % interval -0.20 to 1.54 points; ' +
        'about 4,400 samples like these would settle it (an estimate)',
    );
  });

  it.each([
    [8, '8'],
    [99, '99'],
    [101, '110'],
    [41_683, '42,000'],
    [1e6, '1,000,000'],
  ])('checkText: an estimate of %d samples is told as %s', (samplesToSettle, told) => {
    const { notes } = checkText({ ...accuracy, outcome: 'inconclusive', samplesToSettle });
    expect(notes).toEqual([`about ${told} samples like these would settle it (an estimate)`]);
  });

  it('checkText: where no number of samples helps, it says why', () => {
    const interval = { lower: 0.88, upper: 0.92, confidence: 0.99, method: 'wilson' } as const;
    const open = { ...accuracy, measured: 0.9, outcome: 'inconclusive', interval } as const;
    expect(checkText(open).notes).toEqual([
      '99 % interval 88.00 to 92.00 %',
      'no number of samples would settle it: the measured value is the limit itself',
    ]);
    const few = { ...open, interval: { ...interval, upper: Number.POSITIVE_INFINITY } };
    expect(checkText(few).notes[1]).toBe('there are too few samples for an interval');
  });

  it('describeCheck: sizes say how much of the limit is used', () => {
    const size = { ...accuracy, name: 'artifact size', measured: 131_000, limit: 125_000, unit: 'bytes' } as const;
    expect(describeCheck({ ...size, bound: 'at-most' })).toBe(
      'artifact size is 131,000 bytes, the limit is at most 125,000 bytes; 104.8 % of it used',
    );
  });

  it('describeCheck: a warning limit is called one', () => {
    expect(describeCheck({ ...accuracy, limit: 0.92, outcome: 'warn', limitName: 'warn.min' })).toBe(
      'top1 is 91.13 %, it warns below 92.00 %',
    );
  });

  it('describeCheck: what is not a number says so', () => {
    const check = {
      ...accuracy,
      name: 'kl',
      unit: 'nats',
      measured: Number.NaN,
      bound: 'at-most',
      limit: 0.1,
    } as const;
    expect(describeCheck(check)).toBe('kl is not a number, the limit is at most 0.1 nats');
  });
});
