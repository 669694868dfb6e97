import { type ApiKeysOptions, apiKeys } from '../../apikeys/api-keys.ts'
import {
  type AccessToken,
  AuthError,
  type Clock,
  completeVerdict,
  type Logger,
  redact,
  stderrLogger,
  systemClock,
  type TokenVerifier,
  throttled,
  unfailing,
} from '../../core/index.ts'
import { checkOptions } from '../../core/options.ts'
import { rateLimiter } from '../../core/rate-limit.ts'
import { arrivalOf } from '../arrival.ts'
import { type BearerGate, bearerGate, isRefusal } from '../gate.ts'
import { requestHead } from '../head.ts'
import { jsonAnswer, type PlainAnswer, type Refusal, refusalResponse } from '../refusal.ts'
import { BadBody, readJsonBody } from './json-body.ts'
import { openApi } from './open-api.ts'
import { type Asking, Conflict, NotFound, type Operation, operations } from './operations.ts'

/** What {@link keysAdmin} serves, and to whom. */
export interface KeysAdminOptions extends ApiKeysOptions {
  /** Decides who calls. Whoever has the scope `keys:admin` can make keys with any rights: give it to few. */
  readonly auth: TokenVerifier
  /** What the URLs begin with. Default: `/admin`. */
  readonly path?: string
  /** Default: standard error. */
  readonly logger?: Logger
  /** Default: the clock of this machine. */
  readonly clock?: Clock
}

/** An HTTP API for API keys. */
export interface KeysAdmin {
  /** Answers one request. Never rejects. Made for servers that speak `fetch`: Hono, Bun, Deno, `@hono/node-server`. */
  fetch(request: Request): Promise<Response>
  /** What the URLs begin with, such as `/admin`; it answers what lies below. */
  readonly path: string
  /** The description of the API (OpenAPI 3.1), also served at `<path>/openapi.json`. */
  readonly openApi: Readonly<Record<string, unknown>>
}

/**
 * An HTTP API to make, list, change, rotate and end API keys, and to read the audit log: for people who build a page on
 * it. Every request needs a token with the scope `keys:admin`, but three: a key with the scope `keys:rotate:self` may
 * rotate itself, whoever holds a key may report it as leaked, and the description of the API is open.
 *
 * It takes bearer tokens only and sets no CORS header: a page of another origin cannot use it.
 *
 * @throws TypeError naming the option that is unknown, missing or wrong
 *
 * @example
 * ```ts
 * import { serve } from '@hono/node-server'
 * import { sqliteKeyStore } from 'mcp-bearer/keys'
 * import { keysAdmin } from 'mcp-bearer/keys-admin'
 * import { apiKeyVerifier } from 'mcp-bearer/verify'
 *
 * const store = await sqliteKeyStore('keys.db')
 * const admin = keysAdmin({ store, auth: apiKeyVerifier({ store }) })
 * serve({ fetch: admin.fetch, hostname: '127.0.0.1', port: 8001 })
 * ```
 */
export function keysAdmin(options: KeysAdminOptions): KeysAdmin {
  const { auth, path, logger, clock, keys: keyOptions } = checkedOptions(options)
  const keys = apiKeys(keyOptions)
  const log = throttled(unfailing(logger), clock)
  const gate = bearerGate({ verifier: auth, realm: 'keys', logger, clock })
  const leaks = rateLimiter({ perMinute: 60, clock })
  const description = openApi(path)

  async function answer(request: Request): Promise<Refusal | PlainAnswer> {
    const url = new URL(request.url)
    const found = find(url.pathname, path, request.method)
    if (found === undefined) return jsonAnswer(404, { error: 'not_found' })
    if ('allow' in found) return jsonAnswer(405, { error: 'method_not_allowed' }, { allow: found.allow })
    const { operation, id } = found
    if (operation.name === 'describe') return jsonAnswer(200, description)
    const caller = await admitted(gate, operation, request)
    if (caller !== undefined && isRefusal(caller)) return caller
    const body = operation.body === undefined ? {} : await readJsonBody(request)
    if (caller !== undefined && operation.body !== undefined) {
      const refusal = await shutOut(gate, auth, operation, caller)
      if (refusal !== undefined) return refusal
    }
    const query = url.searchParams
    const asking: Asking = { keys, id, body, query, caller, requestId: requestIdOf(request), leaks }
    const { status, value } = await operation.run(asking)
    return jsonAnswer(status, value)
  }

  return {
    path,
    openApi: description,
    async fetch(request) {
      const given = await answer(request).catch((error: unknown) => failureAnswer(error, gate, log))
      return refusalResponse({ ...given, headers: { ...given.headers, ...always } }, request.method)
    },
  }
}

/** Answers hold keys: no cache keeps them, no page shows them as something else. */
const always = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** Who calls, when the operation asks for somebody; the answer that refuses when it is not somebody who may. */
async function admitted(
  gate: BearerGate,
  { scope }: Operation,
  request: Request,
): Promise<AccessToken | Refusal | undefined> {
  if (scope === undefined) return undefined
  const arrival = arrivalOf(request)
  const caller = await gate.authenticate(requestHead(request, arrival), arrival?.attempts)
  if (isRefusal(caller) || gate.covers(caller, [scope])) return caller
  return gate.refuse('insufficient_scope', { scopes: [scope] })
}

/**
 * A body comes in as slowly as its sender likes, and its key may be revoked meanwhile. So the caller is looked at again
 * before anything is done; that is no use of the key.
 */
async function shutOut(
  gate: BearerGate,
  auth: TokenVerifier,
  { scope }: Operation,
  { token }: AccessToken,
): Promise<Refusal | undefined> {
  const verdict = await auth.verifyToken(token, { isRecheck: true }).catch((error: unknown) => {
    // What else a verifier throws may repeat the token.
    throw error instanceof AuthError ? error : new Error('the verifier failed when it was asked again')
  })
  const caller = completeVerdict(verdict, gate.clock)
  if (caller === null) return gate.refuse('invalid_token')
  const scopes = scope === undefined ? [] : [scope]
  return gate.covers(caller, scopes) ? undefined : gate.refuse('insufficient_scope', { scopes })
}

/** Which operation a path and method mean, and the id in the path. */
function find(
  pathname: string,
  base: string,
  method: string,
): { operation: Operation; id: string } | { allow: string } | undefined {
  if (!pathname.startsWith(`${base}/`)) return undefined
  const words = pathname.slice(base.length + 1).split('/')
  const there = operations.filter(({ path }) => matches(path, words))
  // A fixed word is meant before an id that looks like it.
  const [first] = there
  if (first === undefined) return undefined
  const exact = there.filter(({ path }) => path === first.path)
  const operation = exact.find((one) => one.method === method || (method === 'HEAD' && one.method === 'GET'))
  if (operation === undefined) return { allow: exact.map((one) => one.method).join(', ') }
  const at = operation.path.split('/').indexOf('{id}')
  return { operation, id: words[at] ?? '' }
}

function matches(path: string, words: readonly string[]): boolean {
  const parts = path.split('/')
  return (
    parts.length === words.length &&
    parts.every((part, at) =>
      part === '{id}' ? /^[0-9A-Za-z]{12}$/.test(words[at] ?? '') : part === words[at],
    )
  )
}

/** What a caller or proxy calls the request; only what can stand in a log. */
function requestIdOf(request: Request): string | undefined {
  const given = request.headers.get('x-request-id')
  return given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : undefined
}

/** What was wrong with the request in the words of whoever found it; everything else says nothing. */
function failureAnswer(error: unknown, gate: BearerGate, log: Logger): Refusal | PlainAnswer {
  if (error instanceof BadBody || error instanceof TypeError)
    return jsonAnswer(400, { error: 'invalid_request', error_description: redact(error.message) })
  if (error instanceof NotFound) return jsonAnswer(404, { error: 'not_found' })
  if (error instanceof Conflict)
    return jsonAnswer(409, { error: 'conflict', error_description: error.message })
  if (error instanceof AuthError) return gate.refuse(error.code, error)
  const message = 'An operation of the API for keys failed; the caller got 500.'
  const details = { error: error instanceof Error ? redact(`${error.name}: ${error.message}`) : typeof error }
  log({ level: 'error', event: 'keys_admin_failed', message, details })
  return gate.refuse('server_error')
}

const own = ['auth', 'path', 'logger', 'clock'] as const
const ofKeys = ['store', 'prefix', 'environment', 'audience', 'peppers', 'policy'] as const

function checkedOptions(options: KeysAdminOptions) {
  checkOptions('keysAdmin', options, [...own, ...ofKeys])
  const { auth, path = '/admin', logger = stderrLogger, clock = systemClock, ...keys } = options
  if (typeof path !== 'string' || !/^(?:\/[\w-]+)*$/.test(path))
    throw new TypeError('keysAdmin: path must be empty or like /admin, without a slash at the end')
  return { auth, path, logger, clock, keys }
}
