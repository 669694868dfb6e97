import { AuthError, type Clock } from '../../core/index.ts'
import { abortable } from '../abortable.ts'
import type { DpopProver } from '../token-source.ts'
import type { FetchLike } from './authorized-fetch.ts'
import { isRedirect, redirectTarget, repeatsCredential } from './redirect.ts'
import type { Exchange } from './refusal.ts'
import { secretsOf } from './secrets.ts'
import { authError, type Server } from './server.ts'
import { asAuthError, type TokenKeeper } from './token-keeper.ts'
import { unreachable } from './unreachable.ts'

/** How requests to one server are made: the options, checked. */
export interface Settings {
  readonly server: Server
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly keeper: TokenKeeper | undefined
  /** What messages call the credential. */
  readonly name: string | undefined
  readonly dpop: DpopProver | undefined
  readonly fetch: FetchLike
  readonly clock: Clock
  readonly stepUp: boolean
  /** Milliseconds. */
  readonly maxWait: number
  /** The last few tokens that went out: what the server writes later may hold one of them. */
  readonly recent: string[]
}

/** One request of the caller's, and how far it got. Each reason to send it again counts once. */
export interface Call {
  readonly url: URL
  readonly init: RequestInit
  readonly signal: AbortSignal | undefined
  /** `undefined` without a source; `''` when it has none yet. */
  token: string | undefined
  /** The scopes the token was asked for with. */
  asked: readonly string[]
  /** Tokens and proofs that went out. */
  readonly sent: string[]
  /** Whether the last answer brought a nonce for proofs. */
  hasNonce: boolean
  isRenewed: boolean
  isWidened: boolean
  isNonced: boolean
  hasWaited: boolean
}

/** More hops than this is a loop. */
const mostRedirects = 5

/** Sends a request with the credential it has now, and follows redirects as far as that is safe. */
export async function attempt(settings: Settings, call: Call): Promise<Response> {
  const { server, dpop } = settings
  if (call.token) noteToken(settings, call, call.token)
  let at = call.url
  // MCP authorization "Token Requirements": no token in a URI, whoever made it: an SSE server names its own.
  if (at.href !== server.url.href && repeatsCredential(at, server, sentSecrets(settings, call))) {
    throw new Error(`${server.label} is about to be asked at a URL that repeats the credential`)
  }
  for (let hops = 0; ; hops++) {
    const proof = dpop && call.token ? await proofFor(dpop, settings, call, at) : undefined
    const response = await ask(settings, call, at, proof)
    call.hasNonce = dpop?.observe(at, response.headers) ?? false
    if (response.redirected) throw wanderingFetch(server)
    if (!isRedirect(response)) return response
    const next = redirectTarget(response, at, server, sentSecrets(settings, call))
    if (next === undefined) return response
    if (hops === mostRedirects) throw new Error(`${server.label} redirects in a circle`)
    if (!isReplayable(call.init.body)) {
      throw new Error(`${server.label} redirects a request whose body is a stream; it cannot be sent twice`)
    }
    at = next
  }
}

/** So many tokens are remembered. */
const mostRecent = 4

function noteToken({ recent }: Settings, { sent }: Call, token: string): void {
  sent.push(token)
  if (recent.includes(token)) return
  recent.push(token)
  if (recent.length > mostRecent) recent.shift()
}

/** What must not be seen of the requests made lately. */
export function recentSecrets({ headers, recent }: Settings): readonly string[] {
  return secretsOf([...recent.map((token) => ['authorization', `Bearer ${token}`] as const), ...headers])
}

/** Too late for this request, in time for the next one. */
function wanderingFetch(server: Server): AuthError {
  return authError(
    server,
    'origin_mismatch',
    `The fetch that is used for ${server.label} follows redirects, and takes the credential along. Give one that heeds redirect: 'manual'.`,
  )
}

/** What an answer is judged by. Made when one is bad, never before. */
export function exchangeOf(settings: Settings, call: Call): Exchange {
  const { server, name, headers, dpop, clock } = settings
  return {
    server,
    name: call.token ? name : undefined,
    sent: Boolean(call.token) || headers.length > 0,
    isBound: dpop !== undefined,
    secrets: sentSecrets(settings, call),
    clock,
  }
}

/** Whether the body can be sent a second time. */
export function isReplayable(body: unknown): boolean {
  return body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array
}

/** A new proof for each hop: it names the URL (RFC 9449 section 4.2), and is good once. */
async function proofFor(
  dpop: DpopProver,
  { server }: Settings,
  { init, token = '', sent, signal }: Call,
  url: URL,
): Promise<string> {
  try {
    const method = (init.method ?? 'GET').toUpperCase()
    const proof = await abortable(dpop.proof({ method, url, token }), signal)
    sent.push(proof)
    return proof
  } catch (error) {
    throw asAuthError(server, error, signal)
  }
}

async function ask(settings: Settings, call: Call, url: URL, proof: string | undefined): Promise<Response> {
  const { init, token } = call
  const headers = ownHeaders(init)
  for (const [name, value] of settings.headers) headers[name.toLowerCase()] = value
  if (token) headers.authorization = `${proof === undefined ? 'Bearer' : 'DPoP'} ${token}`
  if (proof !== undefined) headers.dpop = proof
  try {
    // A text: an object would be the caller's, or ours.
    return await settings.fetch(url.href, { ...init, headers, redirect: 'manual' })
  } catch (error) {
    if (init.signal?.aborted || error instanceof AuthError) throw error
    throw unreachable(error, settings.server, sentSecrets(settings, call))
  }
}

/**
 * The headers of a single request, with names in lower case, so that one of ours replaces the caller's. A plain object
 * stays one: `Headers` are dear to make, and `fetch` makes its own.
 */
function ownHeaders(init: RequestInit): Record<string, string> {
  const { headers = {} } = init
  const own: Record<string, string> = Object.create(null)
  const isPlain = Object.getPrototypeOf(headers) === Object.prototype
  for (const [name, value] of isPlain ? Object.entries(headers as object) : headersOf(init)) {
    const lower = name.toLowerCase()
    own[lower] = lower in own ? `${own[lower]}, ${value}` : String(value)
  }
  return own
}

/** The error of a wrong header repeats its value. */
function headersOf({ headers }: RequestInit): Headers {
  try {
    return new Headers(headers)
  } catch {
    throw new TypeError('the headers of the request hold a name or a value that no header can have')
  }
}

/** Headers of a single request that are as secret as those of the options. */
const secretHeaders = [
  'authorization',
  'cookie',
  'dpop',
  'mcp-session-id',
  'proxy-authorization',
  'x-api-key',
]

function sentSecrets({ headers }: Settings, { sent, init }: Call): readonly string[] {
  const given = headersOf(init)
  const own = secretHeaders.flatMap((name) => {
    const value = given.get(name)
    return value === null ? [] : [[name, value] as const]
  })
  const credentials = sent.flatMap((value) => [['authorization', `Bearer ${value}`] as const])
  return secretsOf([...credentials, ...headers, ...own])
}
