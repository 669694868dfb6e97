import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import type { ProbeReport } from '../../src/inspector/probe/probe-report.ts'
import { probe } from '../../src/inspector/probe.ts'
import { RSAKeyPair } from '../../src/issuer/index.ts'
import { MCPServer } from '../../src/server/index.ts'
import { jwtVerifier } from '../../src/verify/index.ts'
import { listening } from '../http/support.ts'
import { answerMessage, json, methodOf } from './weak/mcp-core.ts'
import { isGood, mint } from './weak/tokens.ts'
import { type Parts, refusal, sound, weakServer } from './weak/weak-server.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function probed(parts: Partial<Parts>, token = mint(), clock?: () => number): Promise<ProbeReport> {
  const server = await weakServer(parts, token)
  closing.push(() => server.close())
  return probe(server.url, { token, timeoutMs: 1500, ...(clock && { clock }) })
}

function found({ findings }: ProbeReport): string[] {
  return findings.map(({ code }) => code).sort()
}

function reasonOf({ checks }: ProbeReport, wanted: string): string | undefined {
  return checks.find(({ id }) => id === wanted)?.reason
}

/** A server that does what it should, in ways of its own. */
const honest: readonly (readonly [name: string, parts: Partial<Parts>, also: readonly string[]])[] = [
  [
    'looks at the session before it looks at the token, and says so to nobody in particular',
    {
      readsFirst: true,
      early: ({ body, lines }) =>
        methodOf(body) === 'initialize' || lines('mcp-session-id').length > 0
          ? undefined
          : json(400, { jsonrpc: '2.0', id: null, error: { code: -32602, message: 'No session' } }),
      serve: ({ body }) => answerMessage(body, crypto.randomUUID()),
    },
    ['waits-for-body'],
  ],
  [
    'gives each refusal a number',
    {
      refuse: (why, asked) =>
        refusal(why, asked, `, error_description="Refused, see ${crypto.randomUUID()} for the reason"`),
    },
    [],
  ],
  [
    'gives each refusal a word of its own',
    {
      refuse: (why, asked) => ({
        ...refusal(why, asked),
        body: JSON.stringify({ error: 'refused', message: word() }),
      }),
    },
    [],
  ],
  [
    'has something behind other addresses that is away',
    {
      route: (asked) => sound.route(asked) ?? 'mcp',
      early: (asked) => (sound.route(asked) === undefined ? json(502, { error: 'bad_gateway' }) : undefined),
    },
    [],
  ],
  [
    'does not implement other methods',
    { early: ({ method }) => (/^(?:PUT|PATCH)$/.test(method) ? json(501, {}) : undefined) },
    [],
  ],
]

function word(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) =>
    String.fromCharCode(97 + (byte % 26)),
  ).join('')
}

describe('nothing false is found on a server that', () => {
  it.each(honest)('%s', async (_name, parts, also) => {
    expect(found(await probed(parts))).toEqual(also)
  })

  it('has had enough of the probe, and it is said', async () => {
    let count = 0
    const report = await probed({ early: () => (++count > 12 ? json(403, { error: 'blocked' }) : undefined) })
    expect(found(report)).toEqual([])
    expect(reasonOf(report, 'bad-tokens')).toContain('has begun to turn this probe away')
  })

  it('takes the last token once more, and then no more', async () => {
    let isOver = false
    const report = await probed({
      tokens: (asked) => {
        const [line = ''] = asked.lines('authorization')
        isOver ||= line.startsWith('bearer ')
        return isOver ? ['over'] : sound.tokens(asked)
      },
    })
    expect(found(report)).not.toContain('scheme-case')
    expect(reasonOf(report, 'scheme-case')).toBe('Your token is not admitted any more.')
  })

  it('takes a token that has expired by the clock of this machine alone', async () => {
    const clock = () => Date.now() + 7_200_000
    const token = mint({ secondsLeft: 3600 })
    expect(found(await probed({ admits: (given) => isGood(given) }, token, clock))).toEqual([])
  })

  it.each([
    [
      'a number in hexadecimal digits',
      '5f2d8a91c07b4e36a8d1f0c29b7e64d3',
      (text: string) => text.toLowerCase(),
    ],
    ['base64', 'c2VjcmV0LW9mLWEtc2VydmVyLTE=', (text: string) => text.replace(/=+$/, '')],
  ])('reads its tokens as %s', async (_as, token, read) => {
    expect(found(await probed({ admits: (given) => read(given) === read(token) }, token))).toEqual([])
  })

  it('cannot reach the keys of its issuer, and it is said', async () => {
    const away = await listening(createServer((_request, response) => void response.writeHead(503).end()))
    closing.push(() => away.close())
    const [issuer, audience] = ['https://id.example', 'notes']
    const pair = await RSAKeyPair.generate()
    const quiet = { logger: () => {} }
    const auth = jwtVerifier({ jwksUri: `http://127.0.0.1:${away.port}/jwks`, issuer, audience }, quiet)
    const server = new MCPServer({ name: 'own', auth, ...quiet })
    closing.push(() => server.close())
    const { url } = await server.listen({ port: 0, closeOnSigterm: false })
    const report = await probe(url, { token: await pair.createToken({ issuer, audience }) })
    expect(found(report)).toEqual([])
    expect(reasonOf(report, 'your-token')).toContain('says nothing about the token')
  })
})

it('a server that cannot look at tokens now has not refused the bad ones', async () => {
  const report = await probed({
    refuse: (why, asked) => (why === 'bad' ? json(503, { error: 'away' }) : refusal(why, asked)),
  })
  expect(found(report)).toEqual([])
  expect(reasonOf(report, 'bad-tokens')).toContain('something behind it is away')
})

it('a server that breaks off when a token is bad has not answered with 401', async () => {
  const { server, port } = await breakingOff()
  closing.push(() => server.close())
  const report = await probe(`http://127.0.0.1:${port}/mcp`)
  expect(report.findings.find(({ code }) => code === 'bad-token-status')?.detail).toContain('(no answer)')
})

async function breakingOff() {
  const server = await listening(
    createServer((request, response) => {
      if (/^bearer ./i.test(request.headers.authorization ?? '')) return void request.socket.destroy()
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="x"', 'cache-control': 'no-store' }).end()
    }),
  )
  return { server, port: server.port }
}

it('metadata that names servers by anything but text ends no probe', async () => {
  const servers = [{ toString: 1 }, null, 7, ['https://id.example']]
  const report = await probed({
    metadata: ({ origin }) => json(200, { resource: `${origin}/mcp`, authorization_servers: servers }),
  })
  expect(found(report)).toEqual(['metadata-bad-server'])
})
