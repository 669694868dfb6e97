import { expect, test } from 'vitest'
import { mismatch, transcriptsOf, typed } from './transcript.ts'

test('a transcript is read block by block, with what a command prints', () => {
  const text =
    '# T\n## One\ntext\n```console stays\n$ serve --on 1\nready\n```\n```ts\n1\n```\n## Two\n```console\n$ a \\\n  b\nx\n$ c\n```\n'
  expect(transcriptsOf(text)).toEqual([
    {
      title: 'One',
      blocks: [{ line: 4, isStanding: true, steps: [{ command: 'serve --on 1', expected: ['ready'] }] }],
    },
    {
      title: 'Two',
      blocks: [
        {
          line: 12,
          isStanding: false,
          steps: [
            { command: 'a \\\n  b', expected: ['x'] },
            { command: 'c', expected: [] },
          ],
        },
      ],
    },
  ])
})

test('what was printed is compared line by line', () => {
  expect(mismatch(['a', 'b'], ['a', 'b', ''])).toBeUndefined()
  expect(mismatch(['a', 'b'], ['a'])).toBe('b')
  expect(mismatch(['a'], ['a', 'b'])).toBe('nothing more, where this came: b')
  expect(mismatch([], ['x'])).toBe('nothing more, where this came: x')
  expect(mismatch(['port …, ready'], ['port 80, ready'])).toBeUndefined()
  expect(mismatch(['port (…)'], ['port 80'])).toBe('port (…)')
  expect(mismatch(['a', '…', 'z'], ['a', 'b', 'c', 'z'])).toBeUndefined()
  expect(mismatch(['a', '…', 'z'], ['a', 'b', 'c'])).toBe('z')
  expect(mismatch(['a', '…'], ['a', 'b', 'c'])).toBeUndefined()
})

test('a here-document belongs to its command', () => {
  const [section] = transcriptsOf("## One\n```console\n$ cat > f <<'END'\n$ x\nEND\n$ b\n```\n")
  expect(section?.blocks[0]?.steps).toEqual([
    { command: "cat > f <<'END'\n$ x\nEND", expected: [] },
    { command: 'b', expected: [] },
  ])
})

test('a shortened word of a command is the one that was printed', () => {
  expect(typed('export KEY=mcpk_…', 'first\n  mcpk_live_a-b\nmcpk_2')).toBe('export KEY=mcpk_live_a-b')
  expect(() => typed('export KEY=mcpk_…', 'nothing')).toThrow('mcpk_…')
})
