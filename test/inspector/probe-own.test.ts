import { afterEach, describe, expect, it } from 'vitest'
import { apiKeys } from '../../src/apikeys/api-keys.ts'
import { memoryKeyStore } from '../../src/apikeys/stores/memory.ts'
import type { TokenVerifier } from '../../src/core/index.ts'
import { gateway } from '../../src/gateway/gateway.ts'
import { httpUpstream } from '../../src/gateway/http/http-upstream.ts'
import { keysAdmin } from '../../src/http/admin/index.ts'
import type { ProbeReport } from '../../src/inspector/probe/probe-report.ts'
import { probe } from '../../src/inspector/probe.ts'
import { LocalIssuer, RSAKeyPair } from '../../src/issuer/index.ts'
import type { HttpOptions } from '../../src/server/http-options.ts'
import { MCPServer } from '../../src/server/index.ts'
import { anyOf, apiKeyVerifier, jwtVerifier } from '../../src/verify/index.ts'

const issuer = 'https://id.example'
const quiet = { logger: () => {} }
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A verifier of tokens, and a token it takes. */
async function jwts(audience = 'notes') {
  const pair = await RSAKeyPair.generate()
  const token = (more: object = {}) => pair.createToken({ issuer, audience, scopes: ['notes:read'], ...more })
  return { verifier: jwtVerifier({ publicKey: pair.publicKey, issuer, audience }, quiet), token }
}

/** A verifier of API keys, and a key it takes. */
async function keys() {
  const store = memoryKeyStore()
  const { key } = await apiKeys({ store }).create({ name: 'k', owner: 'alice', scopes: ['keys:admin'] })
  const verifier = apiKeyVerifier({ store }, quiet)
  closing.push(() => verifier.close())
  return { store, key, verifier }
}

async function listening(auth?: TokenVerifier, http: HttpOptions = {}) {
  const server = new MCPServer({ name: 'own', version: '1.2.3', ...(auth && { auth }), ...quiet }, http)
  server.tool('add', { description: 'Adds' }, () => '3')
  const open = (port = 0) => server.listen({ port, closeOnSigterm: false })
  closing.push(() => server.close())
  return { server, open }
}

/** What is worse than a note. */
function worse({ findings }: ProbeReport): string[] {
  return findings
    .filter(({ severity }) => severity !== 'note')
    .map(({ code, detail }) => `${code}: ${detail}`)
}

/** Nothing was found, and not because nothing was looked at. */
function expectSound(report: ProbeReport, name = 'own'): void {
  expect(worse(report)).toEqual([])
  expect(report.server.name).toBe(name)
  expect(report.checks.filter(({ outcome }) => outcome === 'passed').length).toBeGreaterThan(10)
}

describe('nothing is found on a server of this package', () => {
  it('with JWTs', async () => {
    const { verifier, token } = await jwts()
    const { open } = await listening(verifier)
    const { url } = await open()
    expectSound(await probe(url, { token: await token() }))
    expect(worse(await probe(url))).toEqual([])
  })

  it('with JWTs and an authorization server to get them from', async () => {
    const authority = await LocalIssuer.start(quiet)
    closing.push(() => authority.close())
    const { jwksUri, issuer } = authority
    const { open } = await listening(jwtVerifier({ jwksUri, issuer, audience: 'notes' }, quiet))
    const { url } = await open()
    const token = await authority.mint({ audience: 'notes' })
    const report = await probe(url, { token })
    expectSound(report)
    expect(report.checks.find(({ id }) => id === 'metadata')).toMatchObject({ outcome: 'passed' })
  })

  it('with API keys', async () => {
    const { verifier, key } = await keys()
    const { open } = await listening(verifier)
    const { url } = await open()
    expectSound(await probe(url, { token: key }))
  })

  it('with both, with either', async () => {
    const [tokens, own] = [await jwts(), await keys()]
    const { open } = await listening(anyOf([tokens.verifier, own.verifier], quiet))
    const { url } = await open()
    expectSound(await probe(url, { token: await tokens.token() }))
    expectSound(await probe(url, { token: own.key }))
  })

  it('without sessions, and with a page of another origin let in', async () => {
    const { verifier, token } = await jwts()
    const { open } = await listening(verifier, {
      sessions: false,
      allowedOrigins: ['https://app.example'],
    })
    const { url } = await open()
    expectSound(await probe(url, { token: await token() }))
  })

  it('with an API for its keys', async () => {
    const { store, verifier, key } = await keys()
    const { server, open } = await listening(verifier)
    server.mount(keysAdmin({ store, auth: verifier, ...quiet }))
    const { url } = await open()
    expectSound(await probe(url, { token: key }))
  })

  it('with a token that lacks a scope', async () => {
    const { verifier, token } = await jwts()
    const { server, open } = await listening(verifier)
    server.tool('purge', { scopes: ['notes:write'] }, () => 'gone')
    const { url } = await open()
    expectSound(await probe(url, { token: await token() }))
  })
})

it('nothing is found on the gateway in front of a server that asks for nothing', async () => {
  const { open } = await listening()
  const behind = await open()
  const { verifier, token } = await jwts()
  const door = gateway({ upstream: httpUpstream({ url: behind.url, ...quiet }), auth: verifier, ...quiet })
  closing.push(() => door.close())
  const { url } = await door.listen({ port: 0, closeOnSigterm: false })
  expectSound(await probe(url, { token: await token() }))
})

it('a server without auth is found open, and nothing else', async () => {
  const { open } = await listening()
  const { url } = await open()
  const { findings } = await probe(url)
  expect(findings.map(({ code }) => code)).toEqual(['no-authentication'])
})
