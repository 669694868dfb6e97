import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { createMcpHandler, McpServer, requireBearerAuth } from '@modelcontextprotocol/server'
import { AccessToken, AuthError } from 'mcp-bearer'
import { bearerAuth, getAccessToken, type SdkVerifierOptions, sdkVerifier, toAuthInfo } from 'mcp-bearer/sdk'
import { describe, expect, it } from 'vitest'
import { adapterContract } from './adapter-contract.ts'
import { goodToken, knowing, listening } from './support.ts'

const seconds = (clock: () => number) => Math.floor(clock() / 1000)

describe('mcp-bearer/sdk bearerAuth', () => {
  adapterContract((options, report) => {
    const handler = {
      async fetch(
        request: Request,
        { authInfo }: { authInfo?: { clientId: string } } = {},
      ): Promise<Response> {
        const seen = {
          clientId: authInfo?.clientId,
          ambient: getAccessToken()?.clientId,
          credentials: [request.headers.get('authorization'), request.headers.get('x-api-key')],
          body: await request.text(),
        }
        report(seen)
        return Response.json(seen)
      },
    }
    const { fetch } = bearerAuth(options, handler)
    return listening(createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server)
  })

  const whoami = () => {
    const server = new McpServer({ name: 'test', version: '1.0.0' })
    server.registerTool('whoami', { description: 'Who calls' }, (ctx) => ({
      content: [
        {
          type: 'text',
          text: JSON.stringify({
            sdk: ctx.http?.authInfo?.clientId,
            sub: ctx.http?.authInfo?.extra?.sub,
            ambient: getAccessToken()?.clientId,
            header: ctx.http?.req?.headers.get('authorization') ?? null,
            all: JSON.stringify(ctx.http?.authInfo),
          }),
        },
      ],
    }))
    return server
  }

  const callTool = (authorization: Record<string, string>) =>
    new Request('http://localhost/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...authorization,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'whoami', arguments: {} },
      }),
    })

  it('FL-46 serves a token that never expires through the handler of the SDK, tools included', async () => {
    const verifier = knowing({
      [goodToken]: { token: goodToken, clientId: 'desk', claims: { sub: 'alice' } },
    })
    const server = bearerAuth({ verifier }, createMcpHandler(whoami))
    const response = await server.fetch(callTool({ authorization: `Bearer ${goodToken}` }))
    const text = await response.text()
    expect(response.status).toBe(200)
    const data = /\{.*\}/.exec(text)?.[0] ?? ''
    const { result } = JSON.parse(data) as { result: { content: { text: string }[] } }
    expect(JSON.parse(result.content[0]!.text)).toMatchObject({
      sdk: 'desk',
      sub: 'alice',
      ambient: 'desk',
      header: null,
    })
    for (const part of goodToken.split('.')) expect(text).not.toContain(part)
  })

  it('A-30 refuses in front of the handler of the SDK', async () => {
    const server = bearerAuth({ verifier: knowing({}) }, createMcpHandler(whoami))
    expect((await server.fetch(callTool({}))).status).toBe(401)
  })
})

describe('mcp-bearer/sdk toAuthInfo', () => {
  it('names the tools a token is bound to, for handlers that let it use no others', () => {
    const { extra } = toAuthInfo(new AccessToken({ token: goodToken, tools: ['search'] }))
    expect(extra.tools).toEqual(['search'])
    expect(toAuthInfo(new AccessToken({ token: goodToken })).extra).not.toHaveProperty('tools')
  })

  it('B-123 carries subject, issuer and claims, and whole seconds', () => {
    const info = toAuthInfo(
      new AccessToken({
        token: goodToken,
        scopes: ['a', 'b'],
        expiresAt: new Date(1_900_000_000_900),
        claims: { sub: 'alice', iss: 'https://as.example.com', azp: 'desk', plan: 'pro' },
      }),
    )
    expect(info.token).toBe(goodToken)
    expect(info).toEqual({
      clientId: 'desk',
      scopes: ['a', 'b'],
      expiresAt: 1_900_000_000,
      extra: {
        sub: 'alice',
        iss: 'https://as.example.com',
        claims: expect.objectContaining({ plan: 'pro' }),
      },
    })
  })

  it('B-123 invents no expiry, subject or issuer', () => {
    const info = toAuthInfo(new AccessToken({ token: goodToken, clientId: 'desk' }))
    expect(Object.keys(info)).toEqual(['clientId', 'scopes', 'extra'])
    expect(Object.keys(info.extra)).toEqual(['claims'])
  })

  it('FL-72 does not write the token', () => {
    const info = toAuthInfo(new AccessToken({ token: goodToken, clientId: 'desk' }))
    expect(JSON.stringify([info, { ...info }])).not.toContain(goodToken)
  })
})

describe('mcp-bearer/sdk sdkVerifier', () => {
  const gateOf = (verdict: Parameters<typeof knowing>[0][string], options: SdkVerifierOptions = {}) =>
    requireBearerAuth({
      verifier: sdkVerifier(knowing({ [goodToken]: verdict }), { logger: () => {}, ...options }),
      requiredScopes: ['mcp:read'],
      resourceMetadataUrl: 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp',
    })
  const request = (token = goodToken) =>
    new Request('http://localhost/mcp', { headers: { authorization: `Bearer ${token}` } })

  it('FL-46 takes a token that never expires through the gate of the SDK, with a horizon', async () => {
    const before = seconds(Date.now)
    const answer = await gateOf(
      { token: goodToken, clientId: 'desk', scopes: ['mcp:read'] },
      { revalidateAfter: 60 },
    )(request())
    if (answer instanceof Response) throw new Error(`refused with ${answer.status}`)
    expect(answer).toMatchObject({ token: goodToken, clientId: 'desk', scopes: ['mcp:read'] })
    expect(answer.expiresAt! - before).toBeGreaterThanOrEqual(60)
    expect(answer.expiresAt! - before).toBeLessThanOrEqual(120)
  })

  it('keeps the expiry of a token that has one', async () => {
    const verifier = sdkVerifier(knowing({ [goodToken]: { token: goodToken, expiresAt: 4_000_000_000 } }))
    expect((await verifier.verifyAccessToken(goodToken)).expiresAt).toBe(4_000_000_000)
  })

  it.each([
    ['a token that is not good', () => null, 401],
    ['an outage, which is not the fault of the token', outage, 500],
    ['a broken verifier', broken, 500],
    ['a verdict that lacks a scope', () => ({ token: goodToken, scopes: [] }), 403],
    ['a verifier that asks for more scope', underScoped, 403],
  ])('lets the SDK refuse %s', async (_case, verdict, status) => {
    const answer = await gateOf(verdict)(request())
    expect(answer).toBeInstanceOf(Response)
    expect((answer as Response).status).toBe(status)
  })

  it('A-06 refuses what cannot be a token before the verifier is asked', async () => {
    const inner = knowing({})
    const gate = requireBearerAuth({ verifier: sdkVerifier(inner) })
    for (const token of ['a"b', 'x'.repeat(8193), 'a=b']) {
      expect(((await gate(request(token))) as Response).status).toBe(401)
    }
    expect(inner.asked).toEqual([])
  })

  it('refuses options it does not know', () => {
    expect(() => sdkVerifier(knowing({}), { revalidate: 1 } as SdkVerifierOptions)).toThrow(/revalidate/)
    expect(() => sdkVerifier(knowing({}), { revalidateAfter: 0 })).toThrow(/revalidateAfter/)
  })
})

function outage(): never {
  throw new AuthError('verifier_unavailable')
}

function broken(): never {
  throw new Error('out of cheese')
}

function underScoped(): never {
  throw new AuthError('insufficient_scope', undefined, { scopes: ['mcp:read'] })
}
