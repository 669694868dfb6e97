import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import {
  createMcpHandler,
  getOAuthProtectedResourceMetadataUrl,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  McpServer,
  OAuthError,
  OAuthErrorCode,
  oauthMetadataResponse,
  originValidationResponse,
  requireBearerAuth,
} from '@modelcontextprotocol/server'
import { afterEach, describe, expect, it } from 'vitest'
import { bearerAuth } from '../../src/http/adapters/sdk.ts'
import type { ProbeReport } from '../../src/inspector/probe/probe-report.ts'
import { probe } from '../../src/inspector/probe.ts'
import { knowing, listening } from '../http/support.ts'

const token = 'sdk-token-0123456789abcdef'
const issuer = 'https://id.example'
let open: { close(): Promise<void> } | undefined

afterEach(async () => {
  await open?.close()
  open = undefined
})

function handler() {
  return createMcpHandler(() => {
    const server = new McpServer({ name: 'sdk', version: '2.0.0' })
    server.registerTool('hello', {}, () => ({ content: [{ type: 'text', text: 'hello' }] }))
    return server
  })
}

/** The way in, as the examples of the SDK write it. */
type Door = (request: Request, url: string) => Promise<Response>

async function served(door: Door): Promise<string> {
  let url = ''
  const listener = getRequestListener((request: Request) => door(request, url), {
    overrideGlobalObjects: false,
  })
  const site = await listening(createServer((request, response) => void listener(request, response)))
  open = site
  url = `http://127.0.0.1:${site.port}/mcp`
  return url
}

/** A token in front of it, in the SDK's own way. */
function gated(): Door {
  const { fetch } = handler()
  return async (request, url) => {
    const resourceServerUrl = new URL(url)
    const oauthMetadata = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      response_types_supported: ['code'],
    }
    const metadata = oauthMetadataResponse(request, { oauthMetadata, resourceServerUrl })
    if (metadata !== undefined) return metadata
    const gate = requireBearerAuth({
      verifier: {
        async verifyAccessToken(given) {
          if (given !== token) throw new OAuthError(OAuthErrorCode.InvalidToken, 'unknown token')
          return { token, clientId: 'desk', scopes: [], expiresAt: 4_000_000_000 }
        },
      },
      resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resourceServerUrl),
    })
    const authInfo = await gate(request)
    return authInfo instanceof Response ? authInfo : fetch(request, { authInfo })
  }
}

/** The SDK's own checks of Host and Origin before it. */
function local(door: Door): Door {
  return async (request, url) =>
    hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
    originValidationResponse(request, localhostAllowedOrigins()) ??
    door(request, url)
}

function found({ findings }: ProbeReport): string[] {
  return findings.map(({ code }) => code).sort()
}

/** Without a look at Host and Origin, which the SDK leaves to who mounts it (MCP 2026-07-28, "Security Warning"). */
const reachableByPages = ['foreign-host', 'foreign-origin']

/** What is so of the SDK's `requireBearerAuth`, on the listener of Hono for Node. */
const ofItsGate = [
  // Its 401 has no Cache-Control.
  'cacheable-refusal',
  // Who sends no token is told `error="invalid_token"` (RFC 6750 section 3.1: no error code then).
  'error-without-credentials',
  // Node keeps the first of several lines of Authorization, and the SDK sees no other.
  'two-credentials',
  // It looks at the header alone, and does not mind what else a request brings.
  'two-methods',
]

describe("on the SDK's own server is found what is so, and nothing else", () => {
  it('open', async () => {
    const { fetch } = handler()
    const report = await probe(await served((request) => fetch(request)))
    expect(report.server).toEqual({ name: 'sdk', version: '2.0.0', revisions: ['2026-07-28', '2025-11-25'] })
    expect(found(report)).toEqual([...reachableByPages, 'no-authentication'])
  })

  it('open, with its checks of Host and Origin', async () => {
    const { fetch } = handler()
    const report = await probe(await served(local((request) => fetch(request))))
    expect(found(report)).toEqual(['no-authentication'])
  })

  it('behind its own gate', async () => {
    const report = await probe(await served(gated()), { token })
    expect(found(report)).toEqual([...ofItsGate, ...reachableByPages].sort())
    expect(JSON.stringify(report)).not.toContain(token)
  })

  it('behind its own gate, with its checks of Host and Origin', async () => {
    expect(found(await probe(await served(local(gated())), { token }))).toEqual(ofItsGate)
  })

  it('behind the gate of this package only what is so without one', async () => {
    const { fetch } = bearerAuth(
      { verifier: knowing({ [token]: { token, clientId: 'desk' } }), logger: () => {} },
      handler(),
    )
    const report = await probe(await served(local((request) => fetch(request))), { token })
    expect(found(report)).toEqual([])
  })
})
