import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/**
 * Each requirement of token validation has a test that names it. Of group B.8 (pre-issued tokens) and of the vectors K
 * only those are here that hold without a store of keys.
 */
const required: readonly string[] = [
  ...range('B-', 2, [1, 12], [20, 27], [30, 34], [40, 58], [60, 63], [70, 83], [90, 96]),
  ...range('B-', 3, [100, 101], [103, 103], [105, 106], [109, 109], [120, 124]),
  ...range('J', 2, [1, 24]),
  ...range('I', 2, [1, 23]),
  ...range('S', 2, [1, 33]),
  ...range('K', 2, [1, 5], [7, 7], [9, 14], [16, 16]),
  ...range('FL-', 2, [35, 58]),
]

function range(prefix: string, digits: number, ...spans: (readonly [number, number])[]): string[] {
  return spans.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, at) => prefix + String(first + at).padStart(digits, '0')),
  )
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const files = ['src', 'test']
  .flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).map(
      (path) => `${root}${folder}/${path}`,
    ),
  )
  .filter((path) => path.endsWith('.test.ts') || /\/vectors\/[\w-]+\.ts$/.test(path))
  .filter((path) => !path.endsWith('/requirements.test.ts'))

/** The ids in the texts of a file: names of tests, and rows of tables that become names. */
function idsIn(path: string): string[] {
  const code = readFileSync(path, 'utf8').replace(/^\s*(?:\/\/|\/?\*).*$/gm, '')
  const texts = code.match(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|"(?:[^"\\\n]|\\.)*"/g) ?? []
  return texts.flatMap((text) => text.match(/\b(?:B-\d{2,3}|[JISK]\d{2}|FL-\d{2})\b/g) ?? [])
}

const named = new Set(files.flatMap(idsIn))

describe('the requirements', () => {
  it('are named by a test each', () => {
    expect(required.filter((id) => !named.has(id))).toEqual([])
  })

  it('would be missed', () => {
    expect(named.has('B-99')).toBe(false)
    expect(required).toHaveLength(new Set(required).size)
    expect(required.length).toBeGreaterThan(150)
  })
})
