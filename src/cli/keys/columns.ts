import { printableLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'

/** A column of a table that is printed while it is read. */
export interface Column<T> {
  readonly title: string
  cell(row: T): string
  /** Characters of a cell at most. */
  readonly most: number
  /** Whether it gives way where the screen is narrow. */
  readonly shrinks?: boolean
}

/** Characters a column keeps when it gives way, so that something can be read of it. */
const narrowest = 6
/** Rows that are looked at to see how wide the columns have to be. */
const sample = 500
const gap = '  '

/**
 * Prints a table of any length. The widths are those of its first rows, and on a screen what is longer is cut, so that
 * no line is broken.
 *
 * @returns how many rows there were
 */
export async function printTable<T>(
  columns: readonly Column<T>[],
  rows: AsyncIterable<T>,
  terminal: Terminal,
): Promise<number> {
  const waiting: string[][] = []
  let widths: readonly number[] | undefined
  let count = 0
  const flush = () => {
    if (widths === undefined) {
      const titles = columns.map(({ title }) => title)
      widths = widthsOf(columns, [titles, ...waiting], terminal.width)
      terminal.line(terminal.style('dim', lineOf(titles, widths, terminal.width)))
    }
    for (const cells of waiting.splice(0)) terminal.line(lineOf(cells, widths, terminal.width))
  }
  for await (const row of rows) {
    count += 1
    waiting.push(columns.map(({ cell, most }) => printableLine(cell(row), most)))
    if (widths !== undefined || waiting.length === sample) flush()
  }
  if (count > 0) flush()
  return count
}

function widthsOf<T>(
  columns: readonly Column<T>[],
  rows: readonly (readonly string[])[],
  screen = Number.POSITIVE_INFINITY,
): number[] {
  const widths = columns.map((_column, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  const gaps = gap.length * (columns.length - 1)
  for (let over = sum(widths) + gaps - screen; over > 0; over -= 1) {
    const widest = widestOf(columns, widths)
    if (widest === undefined) break
    widths[widest]! -= 1
  }
  return widths
}

/** The widest column that can still give way. */
function widestOf<T>(columns: readonly Column<T>[], widths: readonly number[]): number | undefined {
  const able = columns.flatMap(({ shrinks }, at) => (shrinks && widths[at]! > narrowest ? [at] : []))
  return able.sort((one, other) => widths[other]! - widths[one]!)[0]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function lineOf(cells: readonly string[], widths: readonly number[], screen: number | undefined): string {
  const cut = (cell: string, width: number) => (screen === undefined ? cell : printableLine(cell, width))
  return cells
    .map((cell, at) => cut(cell, widths[at]!).padEnd(widths[at]!))
    .join(gap)
    .trimEnd()
}
