import { describe, expect, it, onTestFinished } from 'vitest'
import type { LogEntry } from '../core/log.ts'
import { ECKeyPair, Ed25519KeyPair, LocalIssuer, type LocalIssuerOptions } from './index.ts'

async function start(options: LocalIssuerOptions = {}): Promise<LocalIssuer> {
  const local = await LocalIssuer.start({ keyPair: await ECKeyPair.generate(), logger: () => {}, ...options })
  onTestFinished(() => local.close())
  return local
}

const read = async (url: string) => (await fetch(url)).json()
const kidsOf = (keys: { keys: readonly { kid: string }[] }) => keys.keys.map(({ kid }) => kid)

describe('LocalIssuer', () => {
  it('B-80 publishes its metadata and keys under its own name', async () => {
    const local = await start()
    expect(local.issuer).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    for (const name of ['openid-configuration', 'oauth-authorization-server']) {
      const metadata = await read(`${local.issuer}/.well-known/${name}`)
      expect(metadata).toMatchObject({ issuer: local.issuer, jwks_uri: local.jwksUri })
    }
    expect(await read(local.jwksUri)).toEqual(local.jwks())
  })

  it('gives out nothing else, and no token over the network', async () => {
    const local = await start()
    for (const path of ['/', '/token', '/.well-known/jwks.json/', '/mint']) {
      expect((await fetch(`${local.issuer}${path}`)).status).toBe(404)
    }
    expect((await fetch(local.jwksUri, { method: 'POST' })).status).toBe(404)
  })

  it('mints tokens of its own, with its clock', async () => {
    const local = await start({ clock: () => 5_000_000 })
    const claims = JSON.parse(Buffer.from((await local.mint()).split('.')[1]!, 'base64url').toString())
    expect(claims).toMatchObject({ iss: local.issuer, iat: 5000, exp: 8600 })
  })

  it('FL-54 publishes old and new key after a rotation, until the old one is retired', async () => {
    const local = await start()
    const [first] = kidsOf(local.jwks())
    const next = await ECKeyPair.generate()
    await local.rotate(next)
    expect(kidsOf((await read(local.jwksUri)) as ReturnType<LocalIssuer['jwks']>)).toEqual([next.kid, first])
    local.retire()
    expect(kidsOf(local.jwks())).toEqual([next.kid])
    await local.rotate(await ECKeyPair.generate())
    await local.rotate()
    expect(local.jwks().keys).toHaveLength(2)
    expect(kidsOf(local.jwks())).not.toContain(next.kid)
  })

  it('FL-54 goes on publishing the key of an earlier run, until it is retired or the next rotation', async () => {
    const previousKeyPair = await Ed25519KeyPair.generate()
    const local = await start({ previousKeyPair })
    const [current] = kidsOf(local.jwks())
    expect(kidsOf((await read(local.jwksUri)) as ReturnType<LocalIssuer['jwks']>)).toEqual([
      current,
      previousKeyPair.kid,
    ])
    const metadata = await read(`${local.issuer}/.well-known/openid-configuration`)
    expect(metadata).toMatchObject({ id_token_signing_alg_values_supported: ['ES256', 'EdDSA'] })
    local.retire()
    expect(kidsOf(local.jwks())).toEqual([current])
    const again = await start({ previousKeyPair })
    await again.rotate(await ECKeyPair.generate())
    expect(kidsOf(again.jwks())).not.toContain(previousKeyPair.kid)
  })

  it('says once, as a warning, that it is for development', async () => {
    const logged: LogEntry[] = []
    const local = await start({ logger: (entry) => logged.push(entry) })
    expect(logged).toEqual([
      {
        level: 'warn',
        event: 'development_issuer',
        message: expect.stringContaining('development and tests only'),
        details: { issuer: local.issuer },
      },
    ])
  })

  it('stops listening when closed, which may be twice, and when disposed of', async () => {
    const local = await start()
    await local.close()
    await local[Symbol.asyncDispose]()
    await expect(fetch(local.jwksUri)).rejects.toThrow('fetch failed')
  })

  it('FL-23 refuses unknown options and a port that is taken', async () => {
    const local = await start()
    await expect(LocalIssuer.start({ port: Number(new URL(local.issuer).port) })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    await expect(Reflect.apply(LocalIssuer.start, LocalIssuer, [{ host: '0.0.0.0' }])).rejects.toThrow(
      TypeError,
    )
    await expect(LocalIssuer.start({ port: 70_000 })).rejects.toThrow(TypeError)
  })
})
