import { AuthError, type Clock } from '../../core/index.ts'
import { abortable } from '../abortable.ts'
import type { DpopProver } from '../token-source.ts'
import type { FetchLike } from './authorized-fetch.ts'
import type { Server } from './server.ts'
import { sourceFailure, type TokenKeeper, type TokenUse } from './token-keeper.ts'

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

/**
 * What is done when something goes wrong: half of the code, and nearly all of the words. Loaded when it is needed, so
 * that a page whose token is good loads little. When it cannot be loaded, the request has failed as well.
 */
export const failures = (): Promise<typeof import('./failures.ts')> => import('./failures.ts')

/** More hops than this is a loop. */
const mostRedirects = 5

/** Sends a request with the credential it has now, and follows redirects as far as that is safe. */
export async function attempt(settings: Settings, call: Call): Promise<Response> {
  const { server, dpop } = settings
  if (call.token) noteToken(settings, call, call.token)
  let at = call.url
  if (at !== server.url) (await failures()).checkUrl(settings, call)
  for (let hops = 0; ; hops++) {
    const proof = dpop && call.token ? await proofFor(dpop, settings, call, at) : undefined
    const response = await ask(settings, call, at, proof)
    call.hasNonce = dpop?.observe(at, response.headers) ?? false
    if (!response.redirected && !isRedirect(response)) return response
    const next = (await failures()).nextHop(settings, call, response, at)
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
    throw await sourceFailure(server, error, signal)
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
    throw (await failures()).lost(settings, call, error)
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
export function headersOf({ headers }: RequestInit): Headers {
  try {
    return new Headers(headers)
  } catch {
    throw new TypeError('the headers of the request hold a name or a value that no header can have')
  }
}

/** Whether an answer may be a redirect at all. Asked of every answer, so it costs nothing. */
function isRedirect({ status, type }: Response): boolean {
  return (status >= 300 && status < 400) || type === 'opaqueredirect'
}

/** Asks for the token of a call, with the scopes the server has asked for so far. */
export async function takeToken({ keeper }: Settings, call: Call): Promise<void> {
  if (keeper === undefined) return
  call.asked = keeper.scopes
  call.token = await keeper.current(useOf(call))
}

/** What a source is told of a call. */
export function useOf({ url, signal }: Call): TokenUse {
  return { url: url.href, signal }
}
