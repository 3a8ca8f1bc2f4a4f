import { expect, it } from 'vitest';
import { inputVariable, namedValue, workflowCommand } from '../../src/entry/workflow-commands.ts';

it.each([
  [workflowCommand('error', {}, 'a'), '::error::a\n'],
  [workflowCommand('error', { file: 'a.yml', line: 3, col: undefined }, 'a'), '::error file=a.yml,line=3::a\n'],
  [workflowCommand('warning', { title: 'a: b, c%' }, 'x'), '::warning title=a%3A b%2C c%25::x\n'],
  [workflowCommand('error', {}, '100%\r\n::set-output name=a::b'), '::error::100%25%0D%0A::set-output name=a::b\n'],
])('workflowCommand: %j', (command, expected) => {
  expect(command).toBe(expected);
});

it('namedValue: a value of several lines stands between delimiters that differ from call to call', () => {
  expect(namedValue('a', 'b\nc=d', 'E')).toBe('a<<E\nb\nc=d\nE\n');
  const [first, second] = [namedValue('a', 'b'), namedValue('a', 'b')];
  expect(first).toMatch(/^a<<bitgate_[0-9a-f-]{36}\nb\nbitgate_[0-9a-f-]{36}\n$/);
  expect(first).not.toBe(second);
});

it('inputVariable: in capitals, hyphens kept', () => {
  expect(inputVariable('report-dir')).toBe('INPUT_REPORT-DIR');
  expect(inputVariable('a b')).toBe('INPUT_A_B');
});
