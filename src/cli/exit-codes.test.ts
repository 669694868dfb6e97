import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { authErrorCodes } from '../core/index.ts'
import { authExitCodes, exitCode } from './exit-codes.ts'

const docs = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const section = docs.slice(docs.indexOf('## Exit codes'))
const documented = [...section.matchAll(/^\| `(\w+)` \| (\d+) \|$/gm)].map(([, code, exit]) => [
  code,
  Number(exit),
])

it('every code has an exit code of its own, and the docs say the same', () => {
  expect(Object.keys(authExitCodes).sort()).toEqual([...authErrorCodes].sort())
  expect(Object.fromEntries(documented)).toEqual(authExitCodes)
  const all = [...Object.values(authExitCodes), ...Object.values(exitCode)]
  expect(new Set(all).size).toBe(all.length)
  expect(Math.max(...all)).toBeLessThan(126)
})
