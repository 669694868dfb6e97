import type { TokenReading } from '../../inspector/token/reading.ts'
import type { ClaimLine } from '../../inspector/token/token-facts.ts'

/** What a text says of itself, for people. What to know of it goes first, where nobody else is asked. */
export function readingLines(reading: TokenReading, isAsked: boolean): string[] {
  const { headline, advice, key, header, claims, warnings } = reading
  return [
    headline,
    ...(isAsked ? [] : advice),
    ...(key ? ['', ...rowLines(Object.entries(key).map(([name, value]) => ({ name, value })))] : []),
    ...section('header', header),
    ...section('claims', claims),
    ...(warnings.length > 0 ? ['', 'warnings', ...warnings.map((warning) => `  ${warning}`)] : []),
  ]
}

/** Names and values, which begin with two blanks. */
export function rowLines(rows: readonly ClaimLine[]): string[] {
  const width = Math.max(...rows.map(({ name }) => name.length), 0)
  return rows.map(({ name, value, words }) =>
    `  ${name.padEnd(width)}  ${value}${words === undefined ? '' : ` (${words})`}`.trimEnd(),
  )
}

function section(name: string, rows: readonly ClaimLine[] | undefined): string[] {
  return rows === undefined ? [] : ['', name, ...rowLines(rows)]
}
