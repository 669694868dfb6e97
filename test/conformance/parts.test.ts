/** What the verdict of a conformance run hangs on, and no run shows while everything passes. */
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'

interface Scenario {
  readonly name: string
  readonly scored: boolean
  readonly passed: boolean
  readonly succeeded: number
  readonly statuses: Readonly<Record<string, string>>
}
interface Results {
  scenariosOf(requirements: object, found: ReadonlyMap<string, readonly object[]>): readonly Scenario[]
  differences(one: readonly Scenario[], other: readonly Scenario[]): readonly string[]
}
interface Proxy {
  readonly host: string
  readonly hosts: ReadonlyMap<string, number>
  forwardTo(url: string): void
  close(): void
}

const { scenariosOf, differences }: Results = await load('results.mjs')
const { injectingProxy }: { injectingProxy(token: string): Promise<Proxy> } = await load('inject.mjs')

const requirements = { scored: ['one', 'two'], unscored: [{ name: 'three', reason: 'pending' }] }

describe('the verdict', () => {
  it('a scenario passes with checks that all succeed, and not without any', () => {
    const found = new Map([
      ['one', [check('a', 'SUCCESS'), check('b', 'INFO'), check('c', 'WARNING')]],
      ['three', [check('a', 'SUCCESS'), check('b', 'FAILURE')]],
    ])
    const scenarios = scenariosOf(requirements, found)
    expect(scenarios.map(({ name, scored, passed }) => ({ name, scored, passed }))).toEqual([
      { name: 'one', scored: true, passed: true },
      { name: 'two', scored: true, passed: false },
      { name: 'three', scored: false, passed: false },
    ])
  })

  it('H-03: two runs differ when one check of them does, or is in one alone', () => {
    const run = (checks: readonly object[]) => scenariosOf(requirements, new Map([['one', checks]]))
    const open = run([check('a', 'SUCCESS'), check('b', 'WARNING'), check('b', 'SUCCESS')])
    expect(
      differences(open, run([check('b', 'SUCCESS'), check('b', 'WARNING'), check('a', 'SUCCESS')])),
    ).toEqual([])
    expect(differences(open, run([check('a', 'SUCCESS'), check('b', 'WARNING')]))).toEqual([
      'one: b: SUCCESS WARNING / WARNING',
    ])
    expect(differences(run([check('a', 'SUCCESS')]), open)).toEqual(['one: b: absent / SUCCESS WARNING'])
  })
})

describe('the proxy', () => {
  const open: { close(): void }[] = []
  afterEach(() => {
    for (const one of open.splice(0)) one.close()
  })

  it('adds the token and leaves Host, Origin and the answer as they are', async () => {
    const seen: IncomingMessage[] = []
    const server = createServer((req, res) => {
      seen.push(req)
      res.writeHead(418, { 'Mcp-Session-Id': 'abc' }).end('from behind')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    open.push(server)
    const proxy = await injectingProxy('the-token')
    open.push(proxy)
    proxy.forwardTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)

    const answer = await get(`http://${proxy.host}/mcp?a=1`, {
      Host: 'evil.example.com',
      Origin: 'http://evil.example.com',
      Authorization: 'Bearer of the caller',
    })
    expect(answer).toEqual({ status: 418, session: 'abc', body: 'from behind' })
    expect(seen[0]?.url).toBe('/mcp?a=1')
    expect(seen[0]?.headersDistinct).toMatchObject({
      host: ['evil.example.com'],
      origin: ['http://evil.example.com'],
      authorization: ['Bearer the-token'],
    })
    expect([...proxy.hosts]).toEqual([['evil.example.com', 1]])
  })
})

/** These programs run without types; only their tests are checked. */
function load(name: string) {
  return import(new URL(name, import.meta.url).href)
}

function check(id: string, status: string) {
  return { id, name: id, status }
}

function get(url: string, headers: Record<string, string>) {
  return new Promise((resolve, reject) => {
    const req = request(url, { headers, agent: false }, (res) => {
      let body = ''
      res.setEncoding('utf8')
      res.on('data', (text: string) => {
        body += text
      })
      res.on('end', () => resolve({ status: res.statusCode, session: res.headers['mcp-session-id'], body }))
    })
    req.on('error', reject)
    req.end()
  })
}
