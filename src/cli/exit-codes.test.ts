import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { authErrorCodes } from '../core/index.ts'
import { severities } from '../inspector/probe/finding.ts'
import { authExitCodes, exitCode, probeExitCodes } from './exit-codes.ts'

const docs = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const section = docs.slice(docs.indexOf('## Exit codes'))
const documented = [...section.matchAll(/^\| `(\w+)` \| (\d+) \|$/gm)].map(([, code, exit]) => [
  code,
  Number(exit),
])

it('every code has an exit code of its own, and the docs say the same', () => {
  expect(Object.keys(authExitCodes).sort()).toEqual([...authErrorCodes].sort())
  expect(Object.fromEntries(documented)).toEqual(authExitCodes)
  const all = [authExitCodes, exitCode, probeExitCodes].flatMap((codes) => Object.values(codes))
  expect(new Set(all).size).toBe(all.length)
  expect(Math.max(...all)).toBeLessThan(126)
})

it('the worse a finding, the higher the exit code', () => {
  const codes = severities.map((severity) => probeExitCodes[severity])
  expect(codes).toEqual([...codes].sort((one, other) => other - one))
  expect(codes).toEqual([32, 31, 30, 29])
})
