import { UsageError } from '../command.ts'

/**
 * Claims of `name=text` and `name:=JSON` words. Unlike those of a tool, names may hold colons: claims that several
 * issuers could invent are URLs (RFC 7519 section 4.2).
 * @throws UsageError that shows no value
 */
export function claimsOf(words: readonly string[]): Record<string, unknown> {
  const pairs = words.map((word): [string, unknown] => {
    const [, name, kind, value = ''] = /^([^=]+?)(:?=)(.*)$/s.exec(word) ?? []
    if (name === undefined) throw new UsageError('--claim must be written name=text or name:=JSON')
    return [name, kind === '=' ? value : readJson(value)]
  })
  if (new Set(pairs.map(([name]) => name)).size < pairs.length)
    throw new UsageError('--claim gives one claim twice; several values are a list: name:=["a","b"]')
  return Object.fromEntries(pairs)
}

/** The error of `JSON.parse` repeats the text. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError('--claim name:=JSON: what follows := is not valid JSON; name=text takes a text')
  }
}
