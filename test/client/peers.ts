import type { FetchLike } from 'mcp-bearer/client'
import { AccessToken, type HttpOptions, MCPServer, type MCPServerOptions } from 'mcp-bearer/server'

/** The revisions a client speaks, newest first. */
export const revisions = ['2026-07-28', '2025-11-25'] as const
export type Revision = (typeof revisions)[number]

/** A request as it left the client. */
export interface Sent {
  readonly method: string
  readonly path: string
  /** Of the JSON-RPC message, if there was one. */
  readonly rpc: string | undefined
  readonly authorization: string | null
  readonly body: string
}

/** The way from a client to a server, on which things can go wrong. */
export interface Wire {
  readonly fetch: FetchLike
  readonly sent: readonly Sent[]
  /** Asked before each request; what it gives is the answer, and an error it throws is that of the network. */
  fault: (sent: Sent) => Response | undefined
  /** How many requests of that JSON-RPC method, or HTTP method, have left. */
  count(method: string): number
}

/** A wire on which a server seems to speak this revision at most. */
export function wire(revision: Revision = '2026-07-28'): Wire {
  const sent: Sent[] = []
  const self: Wire = {
    sent,
    fault: () => undefined,
    count: (method) => sent.filter((one) => (one.rpc ?? one.method) === method).length,
    async fetch(url, init = {}) {
      const body = typeof init.body === 'string' ? init.body : ''
      const rpc = body === '' ? undefined : (JSON.parse(body) as { method?: string }).method
      const method = init.method ?? 'GET'
      const authorization = new Headers(init.headers).get('authorization')
      const one = { method, path: pathOf(url), rpc, authorization, body }
      sent.push(one)
      const answer = self.fault(one)
      if (answer) return answer
      if (rpc === 'server/discover' && revision === '2025-11-25') return notFound(JSON.parse(body).id)
      return globalThis.fetch(url, init)
    },
  }
  return self
}

function notFound(id: unknown): Response {
  const error = { code: -32_601, message: 'Method not found' }
  return Response.json({ jsonrpc: '2.0', id, error }, { status: 404 })
}

/** The 401 of a server that looks at tokens. */
export function refusal(): Response {
  return Response.json(
    { error: 'invalid_token' },
    { status: 401, headers: { 'www-authenticate': 'Bearer realm="mcp", error="invalid_token"' } },
  )
}

const closing: (() => Promise<void>)[] = []

/** Closes what {@link listening} opened. */
export async function closeListening(): Promise<void> {
  await Promise.all(closing.splice(0).map((close) => close()))
}

/** Tokens that are good until they are not, on a clock that stands still. */
export class Tokens {
  now = Date.UTC(2026, 0)
  readonly #expiry = new Map<string, number>()

  /** Makes a token of Alice good for so many seconds from now on. */
  grant(token: string, seconds = 3600): string {
    this.#expiry.set(token, this.now + seconds * 1000)
    return token
  }

  revoke(token: string): void {
    this.#expiry.delete(token)
  }

  readonly clock = (): number => this.now

  async verifyToken(token: string): Promise<AccessToken | null> {
    const expiry = this.#expiry.get(token)
    if (expiry === undefined || expiry <= this.now) return null
    return new AccessToken({ token, clientId: 'test', subject: 'alice', expiresAt: new Date(expiry) })
  }
}

/** A server of ours on a port of its own. */
export async function listening(
  build: (server: MCPServer) => void,
  options: Partial<MCPServerOptions> = {},
  http: HttpOptions = {},
): Promise<{ server: MCPServer; url: string; restart: () => Promise<void>; stop: () => Promise<void> }> {
  const make = (): MCPServer => {
    const server = new MCPServer({ name: 'peer', version: '1.2.3', logger: () => {}, ...options }, http)
    build(server)
    return server
  }
  let server = make()
  let listener = await server.listen({ port: 0 })
  const { port } = listener
  const stop = async (): Promise<void> => {
    await server.close()
    await listener.close()
  }
  closing.push(() => stop())
  return {
    get server() {
      return server
    },
    url: listener.url,
    stop,
    async restart() {
      server = make()
      listener = await server.listen({ port })
    },
  }
}

function pathOf(url: string | URL): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}
