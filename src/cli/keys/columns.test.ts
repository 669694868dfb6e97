import { describe, expect, it } from 'vitest'
import type { Terminal } from '../terminal.ts'
import { type Column, printTable } from './columns.ts'

interface Row {
  readonly id: string
  readonly name: string
  readonly scopes: string
}

const columns: readonly Column<Row>[] = [
  { title: 'ID', most: 12, cell: ({ id }) => id },
  { title: 'NAME', most: 64, shrinks: true, cell: ({ name }) => name },
  { title: 'SCOPES', most: 64, shrinks: true, cell: ({ scopes }) => scopes },
  { title: 'STATUS', most: 12, cell: () => 'active' },
]

async function printed(rows: readonly Row[], width: number | undefined): Promise<string[]> {
  const lines: string[] = []
  const terminal = {
    line: (text = '') => void lines.push(text),
    style: (_format, text) => text,
    width,
  } as Partial<Terminal> as Terminal
  async function* read() {
    yield* rows
  }
  expect(await printTable(columns, read(), terminal)).toBe(rows.length)
  return lines
}

const row = (name: string, scopes = ''): Row => ({ id: '4fVqmPzLk2aB', name, scopes })

describe('a table', () => {
  it('is as wide as it has to be', async () => {
    expect(await printed([row('ci', 'read'), row('nightly build')], 80)).toEqual([
      'ID            NAME           SCOPES  STATUS',
      '4fVqmPzLk2aB  ci             read    active',
      '4fVqmPzLk2aB  nightly build          active',
    ])
  })

  it.each([40, 60, 80, 120])(
    'of %d columns is not wider than the screen, and its columns stay columns',
    async (width) => {
      const lines = await printed([row('n'.repeat(200), 's '.repeat(50)), row('ci', 'read')], width)
      expect(Math.max(...lines.map((line) => line.length))).toBe(Math.min(width, 12 + 64 + 64 + 6 + 6))
      expect(new Set(lines.map((line) => line.search(/STATUS|active/))).size).toBe(1)
      expect(lines[1]).toContain('…')
      expect(lines[2]).toContain('ci')
    },
  )

  it('keeps something of each column on a screen that is too narrow', async () => {
    const [, line] = await printed([row('abcdefghij', 'klmnopqrst')], 10)
    expect(line).toBe('4fVqmPzLk2aB  abcde…  klmno…  active')
  })

  it('is not cut where no screen is', async () => {
    const [, line] = await printed([row('n'.repeat(64), 's'.repeat(64))], undefined)
    expect(line).toContain('n'.repeat(64))
    expect(line).toContain('s'.repeat(64))
  })

  it('obeys nothing, and one row cannot look like two', async () => {
    const [, line, ...rest] = await printed([row('a\u001b[2K\r\nb\u202E', 'x\u0007')], 80)
    expect(rest).toEqual([])
    expect(line).toBe('4fVqmPzLk2aB  a\\x1b[2K b\\u{202e}  x\\x07   active')
  })

  it('is printed while it is read, with the widths of the first rows', async () => {
    const lines: string[] = []
    let given = 0
    async function* read() {
      for (; given < 2000; given += 1) {
        if (given === 1000) expect(lines.length).toBeGreaterThan(500)
        yield row(given < 1500 ? 'ci' : 'a longer name than before')
      }
    }
    const terminal = {
      line: (text = '') => void lines.push(text),
      style: (_format, text) => text,
      width: 80,
    } as Partial<Terminal> as Terminal
    await printTable(columns, read(), terminal)
    expect(lines).toHaveLength(2001)
    expect(new Set(lines.map((line) => line.length)).size).toBe(1)
    expect(lines.at(-1)).toContain('a l…')
  })

  it('of nothing is nothing', async () => {
    expect(await printed([], 80)).toEqual([])
  })
})
