import type { AuthError, AuthErrorDetails } from '../../core/index.ts'
import { type AnyAnswer, fetchAny, StatusError } from '../../verify/fetch-json.ts'
import { type JsonObject, own, parseJsonObject } from '../../verify/json.ts'
import { secretsOf } from '../fetch/secrets.ts'
import type { DpopProver } from '../token-source.ts'
import { type AuthorizationServer, reasonOf, type TokenPlace } from './authorization-server.ts'
import type { TokenClient } from './client-identity.ts'
import { readTokenAnswer, refreshTokenOf, type TokenAnswer, type TokenType } from './token-answer.ts'
import type { TokenWorld } from './token-environment.ts'
import { noToken, printable, readFailure, remedyFor } from './token-failure.ts'

/** One request for a token. */
export interface TokenQuestion {
  /** The MCP server the token is for, for messages. */
  readonly server: string
  readonly grantType: string
  /** More fields of the form; those that are `undefined` are left out. */
  readonly fields: Readonly<Record<string, string | undefined>>
  readonly scopes: readonly string[]
  /** RFC 8707 section 2. */
  readonly resource: string
  /** Default: `DPoP` with a prover, else `Bearer`. */
  readonly tokenType?: TokenType | undefined
  readonly dpop?: DpopProver | undefined
  /** What is to be done after `invalid_grant`, as a sentence without its full stop. */
  readonly grantRemedy: string
  /** The server must name it in `authorization_grant_profiles_supported`, if it names any. */
  readonly grantProfile?: string | undefined
  /**
   * What is sent may be good for one time only, as a refresh token that rotates: it is sent again only when it is certain
   * that it never left. Default: false.
   */
  readonly isOnce?: boolean | undefined
  /** Told of a new refresh token in an answer that is no good otherwise: it must not be lost. */
  readonly rotated?: ((refreshToken: string) => Promise<void>) | undefined
}

/**
 * Asks for tokens at one authorization server (RFC 6749 section 3.2): https or this machine, no redirect, 64 KiB, within
 * the time of the environment.
 *
 * @returns a function that rejects with an `AuthError` of code `token_unavailable` and nothing else
 */
export type TokenEndpoint = (question: TokenQuestion) => Promise<TokenAnswer>

/** Makes a {@link TokenEndpoint}. @param client absent where the grant says who asks (RFC 7521 section 4.1) */
export function tokenEndpoint(
  as: AuthorizationServer,
  client: TokenClient | undefined,
  world: TokenWorld,
): TokenEndpoint {
  /** What the server has seen: the next thing it says may repeat it, metadata as well. */
  const seen: { secrets: readonly string[] } = { secrets: client?.secrets() ?? [] }
  return async (question) => {
    const place = await as.locate().catch((error: unknown) => {
      const words = `the metadata of ${labelOf(as)} cannot be used: ${printable(reasonOf(error, seen.secrets), seen.secrets)}.`
      throw noToken(question.server, words, detailsOf(error))
    })
    const complaint = complaintOf(place, question, client)
    if (complaint !== undefined) throw noToken(question.server, `the authorization server ${complaint}`)
    return attempts({ as, place, client, world, question, seen })
  }
}

interface Asking {
  readonly as: AuthorizationServer
  readonly place: TokenPlace
  readonly client: TokenClient | undefined
  readonly world: TokenWorld
  readonly question: TokenQuestion
  readonly seen: { secrets: readonly string[] }
}

/** What the metadata of a server rules out is not tried: a secret is not sent where it cannot be of use (RFC 8414 section 2). */
function complaintOf(
  { authMethods, grantTypes, grantProfiles }: TokenPlace,
  { grantType, grantProfile }: TokenQuestion,
  client: TokenClient | undefined,
): string | undefined {
  if (grantTypes && !grantTypes.includes(grantType)) return `does not offer the grant ${grantType}.`
  if (grantProfile !== undefined && grantProfiles && !grantProfiles.includes(grantProfile)) {
    return `does not offer the grant profile ${grantProfile}.`
  }
  const methods = [...(client?.methods.keys() ?? [])]
  // Servers that let in public clients often leave `none` out, and there is nothing that could leak.
  if (methods.length === 0 || methods.includes('none') || authMethods === undefined) return undefined
  if (methods.some((method) => authMethods.includes(method))) return undefined
  return `takes none of ${methods.join(', ')} as client authentication; see token_endpoint_auth_methods_supported in its metadata.`
}

/** Milliseconds before the second and the third attempt, where the server names none. */
const pauses = [200, 600]
/** Milliseconds of `Retry-After` that are waited for. */
const longestPause = 5000

/**
 * Asks, and asks again after what has nothing to do with the question: no connection, 429, 5xx. Never after another 4xx
 * (EXT-WIF), and not at all what may be good for one time only, unless it certainly never arrived.
 */
async function attempts(asking: Asking): Promise<TokenAnswer> {
  const { as, question } = asking
  for (let tried = 0; ; tried++) {
    const outcome = await attempt(asking)
    if (outcome.answer !== undefined) return outcome.answer
    const pause = outcome.retryAfter === undefined ? pauses[tried] : outcome.retryAfter * 1000
    const mayRepeat = question.isOnce ? outcome.neverSent : true
    if (tried >= pauses.length || pause === undefined || pause > longestPause || !mayRepeat) {
      as.forget()
      throw unreachable(as, question, outcome.reason, outcome.cause)
    }
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

type Outcome =
  | { readonly answer: TokenAnswer }
  | {
      readonly answer?: undefined
      readonly reason: string
      /** Seconds, when the server names them. */
      readonly retryAfter?: number
      readonly neverSent: boolean
      readonly cause?: unknown
    }

/** One attempt; with a proof of possession a second one when the server gives a nonce (RFC 9449 section 8). */
async function attempt(asking: Asking): Promise<Outcome> {
  const first = await send(asking)
  if (!('status' in first)) return first
  const { dpop } = asking.question
  const hasNonce = dpop?.observe(asking.place.url, first.headers) === true
  const isRefusal = first.status === 400 || first.status === 401
  const wantsNonce = isRefusal && own(first.json ?? {}, 'error') === 'use_dpop_nonce'
  if (!wantsNonce || !hasNonce) return judge(asking, first)
  const second = await send(asking)
  if (!('status' in second)) return second
  dpop?.observe(asking.place.url, second.headers)
  return judge(asking, second)
}

interface Answered extends AnyAnswer {
  /** The body, when it is one JSON object. */
  readonly json: JsonObject | undefined
  /** What was sent and must not come back in a message. */
  readonly secrets: readonly string[]
}

const utf8 = new TextEncoder()
/** Secrets that are remembered; those of a few requests. */
const mostSeen = 64

async function send(asking: Asking): Promise<Answered | Outcome> {
  const { place, client, world, question } = asking
  const headers: Record<string, string> = {}
  const form = new URLSearchParams()
  const prepare = async () => {
    fill(form, question)
    const method = [...(client?.methods ?? [])].find(([name]) => isFor(name, place))
    await method?.[1]({ endpoint: new URL(place.url), headers, form, clock: world.clock })
    const proof = await question.dpop?.proof({ method: 'POST', url: new URL(place.url) })
    if (proof !== undefined) headers.dpop = proof
  }
  const sent = () => {
    const secrets = secretsIn(form, headers, client)
    asking.seen.secrets = [...new Set([...secrets, ...asking.seen.secrets])].slice(0, mostSeen)
    return secrets
  }
  try {
    const request = { form, headers, prepare, milliseconds: world.timeout }
    const answer = await fetchAny(place.url, place.fetch, request)
    return { ...answer, json: parseJsonObject(utf8.encode(answer.text)), secrets: sent() }
  } catch (error) {
    const neverSent = isUnsent(error)
    // No connection may be another one's next time; an answer that does not come or cannot be read will not be better.
    const mayPass = neverSent || isConnection(error)
    if (mayPass) return { reason: reasonOf(error, sent()), neverSent }
    throw unreachable(asking.as, question, reasonOf(error, sent()))
  }
}

function isFor(method: string, { authMethods }: TokenPlace): boolean {
  return authMethods === undefined || method === 'none' || authMethods.includes(method)
}

function fill(form: URLSearchParams, { grantType, fields, scopes, resource }: TokenQuestion): void {
  form.set('grant_type', grantType)
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value)
  if (scopes.length > 0) form.set('scope', scopes.join(' '))
  // Sent whether or not the server knows it (MCP authorization "Resource Parameter Implementation").
  form.set('resource', resource)
}

/** Fields of the form that are no secrets. */
const openFields: ReadonlySet<string> = new Set([
  'grant_type',
  'scope',
  'resource',
  'audience',
  'client_id',
  'client_assertion_type',
  'subject_token_type',
  'requested_token_type',
])

function secretsIn(
  form: URLSearchParams,
  headers: Readonly<Record<string, string>>,
  client: TokenClient | undefined,
): readonly string[] {
  const fields = [...form].filter(([name]) => !openFields.has(name))
  return [...secretsOf([...fields, ...Object.entries(headers)]), ...(client?.secrets() ?? [])]
}

/** What an answer means. Throws when it is one. */
async function judge(asking: Asking, answer: Answered): Promise<Outcome> {
  const { as, question, world } = asking
  const { status, json, secrets } = answer
  const label = labelOf(as)
  if (status === 429 || status >= 500) {
    const failure = new StatusError(status, answer.headers)
    const isNamed = /^\d+$/.test(answer.headers.get('retry-after') ?? '')
    const named = isNamed ? { retryAfter: failure.retryAfter } : {}
    return { reason: failure.message, neverSent: false, cause: failure, ...named }
  }
  const { error, errorDescription } = readFailure(json, secrets)
  if (status !== 200 || error !== undefined) {
    const details = { status, ...(error && { error }), ...(errorDescription && { errorDescription }) }
    if (status !== 200) as.forget()
    if (error === undefined) {
      throw noToken(question.server, `${label} answered ${status} at its token endpoint.`, details)
    }
    const said = errorDescription ? `${error} (${errorDescription})` : error
    const remedy = remedyFor(error, question.grantRemedy)
    throw noToken(question.server, `${label} refused the client: ${said}. ${remedy}.`, details)
  }
  const type = question.tokenType ?? (question.dpop ? 'DPoP' : 'Bearer')
  const read = json === undefined ? 'is not one JSON object' : readTokenAnswer(json, type, world.clock())
  if (typeof read !== 'string') return { answer: read }
  const rotated = json && refreshTokenOf(json)
  if (rotated !== undefined) await question.rotated?.(rotated)
  throw noToken(question.server, `${label} gave no usable token: the answer ${read}.`, { status })
}

function unreachable(
  as: AuthorizationServer,
  { server }: TokenQuestion,
  reason: string,
  cause?: unknown,
): AuthError {
  const details = detailsOf(cause)
  const later = details.retryAfter === undefined ? 'later' : `in ${details.retryAfter} s`
  const words = `${labelOf(as)} cannot be reached: ${printable(reason, [])}. Try again ${later}.`
  return noToken(server, words, details)
}

/** Of a status; of other errors nothing is kept but the words, they may hold what was sent. */
function detailsOf(cause: unknown): AuthErrorDetails {
  if (!(cause instanceof StatusError)) return {}
  const { status, retryAfter } = cause
  return { cause, status, ...(retryAfter > 0 && { retryAfter }) }
}

function labelOf({ issuer }: AuthorizationServer): string {
  return `the authorization server ${new URL(issuer).origin}`
}

/** Codes of a connection that was not made. */
const unsent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])
/** Codes of a connection that broke. */
const broken: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET'])

const isUnsent = (error: unknown) => codesOf(error).some((code) => unsent.has(code))
const isConnection = (error: unknown) => codesOf(error).some((code) => broken.has(code))

function codesOf(error: unknown): readonly string[] {
  const codes: string[] = []
  let one = error
  for (let depth = 0; depth < 8 && one instanceof Error; depth++) {
    const { code } = one as { readonly code?: unknown }
    if (typeof code === 'string') codes.push(code)
    one = one.cause
  }
  return codes
}
