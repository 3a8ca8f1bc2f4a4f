import { expect, it } from 'vitest';
import { renderCacheList } from '../../src/cache/render-cache-list.ts';
import { KEY, OTHER_KEY } from './records.ts';

it('renderCacheList: a line per set and a sum, or a word that there is none', () => {
  const sets = [
    { key: KEY, label: 'models/resnet20.onnx, kl', sizeBytes: 120_000, usedAt: 9_000 },
    { key: OTHER_KEY, label: '', sizeBytes: 7, usedAt: 0 },
  ];
  expect(renderCacheList(sets, '/c', 10_000_000)).toBe(
    [
      `${KEY.slice(0, 12)}  120000 bytes  used 2 hours ago  models/resnet20.onnx, kl`,
      `${OTHER_KEY.slice(0, 12)}       7 bytes  used 2 hours ago`,
      '2 measurement sets, 120007 bytes in /c',
      '',
    ].join('\n'),
  );
  expect(renderCacheList([], '/c', 0)).toBe('nothing is kept in /c\n');
});
