import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { secretsOf } from '../../src/core/index.ts'
import { findingTexts } from '../../src/inspector/probe/finding-texts.ts'
import type { ProbeReport } from '../../src/inspector/probe/probe-report.ts'
import { probe } from '../../src/inspector/probe.ts'
import { htmlReport } from '../../src/inspector/report/html.ts'
import { reportLines } from '../../src/inspector/report/text.ts'
import { ownPages } from './weak/browsers.ts'
import type { Defect } from './weak/defect.ts'
import { defects } from './weak/defects.ts'
import { answerMessage } from './weak/mcp-core.ts'
import { probeByName } from './weak/probe-weak-server.ts'
import { mint, publicOrigin } from './weak/tokens.ts'
import { type WeakServer, weakServer } from './weak/weak-server.ts'

let server: WeakServer | undefined

afterEach(async () => {
  await server?.close()
  server = undefined
})

async function probed({ broken, token, knownAs }: Partial<Defect> = {}): Promise<ProbeReport> {
  server = await weakServer(broken, token?.(), knownAs)
  return knownAs === undefined
    ? probe(server.url, { token: server.token, timeoutMs: 1500 })
    : probeByName(server)
}

function codesOf({ findings }: ProbeReport): string[] {
  return findings.map(({ code }) => code).sort()
}

/** The token, and what is made of it, in anything that is shown. */
function expectNoToken(report: ProbeReport, token: string): void {
  const shown = [
    JSON.stringify(report),
    htmlReport(report),
    reportLines(report, { isVerbose: true }).join('\n'),
  ]
  for (const secret of secretsOf(token)) for (const text of shown) expect(text).not.toContain(secret)
}

/** A session that is worth nothing without the token. */
const withSessions: Defect['broken'] = { serve: ({ body }) => answerMessage(body, randomUUID()) }

it.each([
  ['on this machine', {}, ['session-alone', 'session-ids', 'preflight', 'public-pages']],
  [
    'with sessions, and with pages of its own',
    { broken: { ...withSessions, ...ownPages } },
    ['public-pages'],
  ],
  [
    'in the network',
    { knownAs: publicOrigin, token: () => mint({ claims: { aud: `${publicOrigin}/mcp` } }) },
    ['session-alone', 'session-ids', 'preflight', 'foreign-origin'],
  ],
] as const)(
  'nothing is found on a server without a defect %s, and all is looked at',
  async (_where, how, skipped) => {
    const report = await probed(how)
    expect(report.findings).toEqual([])
    expect(report.checks.filter(({ outcome }) => outcome === 'skipped').map(({ id }) => id)).toEqual(skipped)
    expect(report.server).toEqual({
      name: 'weak',
      version: '1.0.0',
      revisions: ['2026-07-28', '2025-11-25'],
    })
    expectNoToken(report, server?.token ?? '')
  },
)

describe('a server that', () => {
  it.each(defects)('$name', async (defect) => {
    const report = await probed(defect)
    expect(codesOf(report)).toEqual([...defect.found].sort())
    expectNoToken(report, server?.token ?? '')
  })
})

it('every finding there is has a server that shows it', () => {
  const planted = new Set(defects.flatMap(({ found }) => found))
  expect(Object.keys(findingTexts).filter((code) => !planted.has(code as never))).toEqual([])
})

it('every server is another one', () => {
  expect(new Set(defects.map(({ name }) => name)).size).toBe(defects.length)
  expect(defects.length).toBeGreaterThanOrEqual(35)
})
