import { Client as SdkClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client } from '../../client/index.ts'
import { AuthError } from '../../core/index.ts'
import { RSAKeyPair } from '../../issuer/index.ts'
import { demoKey } from './keys.ts'
import { type Demo, demoAudience } from './server.ts'

/** One kind of credential, what is called with it, and what must come of it. */
interface DemoCase {
  readonly title: string
  /** The value of the `Authorization` header; none when absent. */
  readonly authorization: string | undefined
  readonly tool: string
  readonly status: number
  /** What is done before it is called. */
  readonly before?: () => Promise<unknown>
}

/** What came of one case: over plain HTTP, through our client, and through the official SDK's client. */
export interface DemoCall {
  readonly title: string
  readonly tool: string
  readonly expected: number
  readonly status: number
  readonly client: string
  readonly sdk: string
  readonly ok: boolean
}

/** The JSON-RPC body and the headers of a `tools/call` in the protocol revision 2026-07-28. */
export function toolCall(tool: string): { headers: Record<string, string>; body: string } {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'curl', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  return {
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': '2026-07-28',
      'Mcp-Method': 'tools/call',
      'Mcp-Name': tool,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: tool, arguments: {}, _meta: meta },
    }),
  }
}

/** The credentials of the demo, good and bad, made with real keys. */
export async function demoCases(demo: Demo): Promise<DemoCase[]> {
  return [...(await tokenCases(demo)), ...(await keyCases(demo))]
}

/** The life of an API key: used, replaced and still good for a while, revoked. */
async function keyCases({ apiKeys: { keys } }: Demo): Promise<DemoCase[]> {
  const { key, apiKey } = await keys.create({ name: 'demo calls', ...demoKey, expiresInSeconds: 600 })
  const mistyped = key.endsWith('0') ? `${key.slice(0, -1)}1` : `${key.slice(0, -1)}0`
  const bearer = { authorization: `Bearer ${key}`, tool: 'whoami' }
  let next: Promise<{ readonly apiKey: { readonly id: string } }>
  return [
    { title: 'API key', ...bearer, status: 200 },
    { title: 'API key, mistyped', ...bearer, authorization: `Bearer ${mistyped}`, status: 401 },
    {
      title: 'API key, replaced, in grace',
      ...bearer,
      status: 200,
      before: () => {
        next = keys.rotate(apiKey.id, { graceSeconds: 60 })
        return next
      },
    },
    {
      title: 'API key, revoked',
      ...bearer,
      status: 401,
      before: async () => keys.revokeMany([apiKey.id, (await next).apiKey.id]),
    },
  ]
}

async function tokenCases({ issuer }: Demo): Promise<DemoCase[]> {
  const token = { subject: 'alice', audience: demoAudience }
  const good = await issuer.mint({ ...token, scopes: ['reports:read'] })
  const stranger = await RSAKeyPair.generate()
  const forged = await stranger.createToken({ ...token, issuer: issuer.issuer })
  const bearer = (value: string) => `Bearer ${value}`
  const [head, payload] = good.split('.')
  const tampered = [head, payload, forged.split('.')[2]].join('.')
  return [
    { title: 'no token', authorization: undefined, tool: 'whoami', status: 401 },
    { title: 'wrong scheme', authorization: 'Basic YWxpY2U6c2VjcmV0', tool: 'whoami', status: 401 },
    {
      title: 'expired token',
      authorization: bearer(await issuer.mint({ ...token, expiresInSeconds: -3600 })),
      tool: 'whoami',
      status: 401,
    },
    {
      title: 'wrong audience',
      authorization: bearer(await issuer.mint({ ...token, audience: 'another-server' })),
      tool: 'whoami',
      status: 401,
    },
    { title: 'tampered token', authorization: bearer(tampered), tool: 'whoami', status: 401 },
    {
      title: 'missing scope',
      authorization: bearer(await issuer.mint(token)),
      tool: 'read_report',
      status: 403,
    },
    { title: 'valid token', authorization: bearer(good), tool: 'whoami', status: 200 },
    { title: 'valid token and scope', authorization: bearer(good), tool: 'read_report', status: 200 },
    { title: 'valid token, slow tool', authorization: bearer(good), tool: 'count_slowly', status: 200 },
  ]
}

/** Makes the calls of one case, three ways. */
export async function runCase(
  url: string,
  one: DemoCase,
  onProgress: (text: string) => void,
): Promise<DemoCall> {
  await one.before?.()
  const status = await overHttp(url, one)
  const client = await throughOurClient(url, one, onProgress)
  const sdk = await throughSdk(url, one)
  const expected = one.status === 200 ? 'ok' : String(one.status)
  const ok = status === one.status && client === expected && sdk === expected
  return { title: one.title, tool: one.tool, expected: one.status, status, client, sdk, ok }
}

async function overHttp(url: string, { authorization, tool }: DemoCase): Promise<number> {
  const { headers, body } = toolCall(tool)
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, ...asHeader(authorization) },
    body,
  })
  await response.text()
  return response.status
}

async function throughOurClient(
  url: string,
  { authorization, tool }: DemoCase,
  onProgress: (text: string) => void,
): Promise<string> {
  const token = authorization?.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : undefined
  const client = new Client(url, token === undefined ? { headers: asHeader(authorization) } : { auth: token })
  try {
    await client.callTool(
      tool,
      {},
      { onProgress: ({ progress, total }) => onProgress(`${tool}: ${progress}/${total}`) },
    )
    return 'ok'
  } catch (error) {
    return error instanceof AuthError ? String(error.status) : `failed: ${(error as Error).message}`
  } finally {
    await client.close()
  }
}

async function throughSdk(url: string, { authorization, tool }: DemoCase): Promise<string> {
  let status: number | undefined
  const watch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    if (!response.ok) status ??= response.status
    return response
  }
  const client = new SdkClient(
    { name: 'official-sdk', version: '1' },
    { versionNegotiation: { mode: 'auto' } },
  )
  try {
    await client.connect(
      new StreamableHTTPClientTransport(new URL(url), {
        fetch: watch,
        requestInit: { headers: asHeader(authorization) },
      }),
    )
    await client.callTool({ name: tool, arguments: {} })
    return 'ok'
  } catch (error) {
    return status === undefined ? `failed: ${(error as Error).message}` : String(status)
  } finally {
    await client.close()
  }
}

function asHeader(authorization: string | undefined): Record<string, string> {
  return authorization === undefined ? {} : { Authorization: authorization }
}
