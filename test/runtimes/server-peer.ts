import { type Revision, rpc } from '../server/fixtures.ts'
import { forgeWith, hmac } from '../verify/forge.ts'
import tokens from './server-tokens.json' with { type: 'json' }

/** A token that the protected server takes for an hour, or with other claims one that it does not. */
export function tokenOf(sub: string, claims: object = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const { issuer: iss, audience: aud, secret, algorithm: alg } = tokens
  const good = { iss, aud, sub, client_id: 'app', scope: 'read', iat: now - 60, exp: now + 3600 }
  return forgeWith(hmac(secret))({ alg }, { ...good, ...claims })
}

/** What a request may have beside its method and parameters. */
export interface SendOptions {
  /** Of JSON-RPC. Default: 1. */
  readonly id?: number
  /** With it the caller disconnects. */
  readonly signal?: AbortSignal
}

/** Who speaks to a protected server in one revision of the protocol, with one token. */
export interface Peer {
  /** Sends a request; resolves when the head of the answer is there. */
  send(method: string, params?: Record<string, unknown>, options?: SendOptions): Promise<Response>
  /** Calls a tool. */
  call(name: string, args?: object, options?: SendOptions & { progress?: boolean }): Promise<Response>
  /** Sends something without an id, which is not answered. */
  notify(method: string): Promise<Response>
}

/** Introduces itself where the revision asks for that, and stays in the session if it is given one. */
export async function peer(url: string, revision: Revision, token: string): Promise<Peer> {
  const session: Record<string, string> = {}
  const post = ({ headers, body }: ReturnType<typeof rpc>, signal?: AbortSignal) =>
    fetch(url, {
      method: 'POST',
      headers: { ...headers, ...session, authorization: `Bearer ${token}` },
      body,
      ...(signal && { signal }),
    })
  const self: Peer = {
    send: (method, params, { id, signal } = {}) => post(rpc(method, params, revision, id), signal),
    call: (name, args = {}, { progress = false, ...options } = {}) => {
      const _meta = progress ? { progressToken: 'how far' } : {}
      return self.send('tools/call', { name, arguments: args, _meta }, options)
    },
    notify(method) {
      const { headers, body } = rpc(method, {}, revision)
      const { id: _, ...message } = JSON.parse(body) as { id: number }
      return post({ headers, body: JSON.stringify(message) })
    },
  }
  if (revision === '2026-07-28') return self
  const clientInfo = { name: 'test', version: '1' }
  const hello = await self.send('initialize', { protocolVersion: revision, capabilities: {}, clientInfo })
  if (!hello.ok) throw new Error(`initialize was answered with ${hello.status}: ${await hello.text()}`)
  await hello.text()
  const id = hello.headers.get('mcp-session-id')
  if (id !== null) session['mcp-session-id'] = id
  await (await self.notify('notifications/initialized')).text()
  return self
}
