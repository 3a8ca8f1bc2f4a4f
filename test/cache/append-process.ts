/**
 * Appends records to a local set, one after the other, and prints each unit once it is kept; without end when `count` is
 * Infinity. Run as a process of its own: append-process.ts <directory> <prefix of units> <count>
 */
import { randomUUID } from 'node:crypto';
import { createLocalStore } from '../../src/cache/local-store.ts';
import { nodeCacheFiles } from '../../src/entry/cache-files.ts';
import { KEY, record } from './records.ts';

const [directory, prefix, count] = process.argv.slice(2) as [string, string, string];
const store = createLocalStore({ directory, files: nodeCacheFiles, newName: randomUUID });
const set = await store.open(KEY, 'written by a process');
for (let index = 0; index < Number(count); index++) {
  await set.append([record(`${prefix}${index}`)]);
  process.stdout.write(`${prefix}${index}\n`);
}
