import {
  AccessToken,
  type AuthErrorCode,
  type Clock,
  completeVerdict,
  type LogEntry,
  type Logger,
  type ScopeHierarchy,
  scopeList,
  scopePolicy,
  stderrLogger,
  systemClock,
  type TokenVerifier,
  throttled,
  unfailing,
} from '../core/index.ts'
import { checkOptions } from '../core/options.ts'
import { placeholderAdvice, placeholderCause } from '../core/placeholder.ts'
import { clientAddress } from './client-address.ts'
import { runWithToken } from './context.ts'
import { apiKeyHeaderName, credentialReader } from './credential.ts'
import { faultAnswerer } from './fault.ts'
import { type RequestHead, requestHead } from './head.ts'
import { HeadContext } from './head-context.ts'
import { type Refusal, type RefusalDetails, refusalResponse, refusalWriter } from './refusal.ts'

/** What a {@link bearerGate} needs to know. */
export interface BearerGateOptions {
  /** Decides whether a token is good. */
  readonly verifier: TokenVerifier
  /** Name of the protected space, shown in challenges (RFC 9110 section 11.5). Default: `mcp`. */
  readonly realm?: string
  /** Scopes every request needs, besides those the verifier names. Default: none. */
  readonly requiredScopes?: readonly string[]
  /** Which scopes contain which. Default: none contains another. */
  readonly scopeHierarchy?: ScopeHierarchy
  /** Header that may carry the token instead of `Authorization`, such as `x-api-key`. Default: none is read. */
  readonly apiKeyHeader?: string
  /** URL of the protected resource metadata, only when there is an authorization server (RFC 9728 section 5.1). Default: none. */
  readonly resourceMetadata?: string
  /**
   * Whether what stands behind the gate lets a token with `tools` use these tools and nothing else. Default: false, and
   * such a token is refused with 403: a handler that does not look at them would let it do everything.
   */
  readonly enforcesTools?: boolean
  /**
   * How many proxies in front are trusted to tell the address of a caller in `X-Forwarded-For`, up to 10. For verifiers
   * that look at it, such as those of keys that are bound to addresses. Default: 0, it is that of the connection, where
   * the adapter knows one.
   */
  readonly trustProxy?: number
  /** Where faults of the verifier and hints for the operator go. Default: standard error. */
  readonly logger?: Logger
  /** Default: the clock of this machine. */
  readonly clock?: Clock
}

/** Counts what one caller tries, and may stop it before a token is looked at. */
export interface Attempts {
  /** @returns seconds to wait when no more may be tried */
  blocked(token: string): number | undefined
  /** A credential was presented and is not good. Without the token when it cannot even be one. */
  failed(token?: string): void
  succeeded(token: string): void
}

/**
 * Stands in front of a handler. Called with a `Request` it resolves to the caller's {@link AccessToken}, or to the
 * `Response` that refuses. Never rejects.
 */
export interface BearerGate {
  (request: Request): Promise<AccessToken | Response>
  /**
   * The same for the head of any request; tell the results apart with {@link isRefusal}. Never rejects.
   * @param attempts who counts what this caller tries. Default: nobody
   * @param isRecheck whether nothing new is asked for: somebody who was let in is looked at again, which is no use of the
   *   credential. Default: false
   */
  authenticate(head: RequestHead, attempts?: Attempts, isRecheck?: boolean): Promise<AccessToken | Refusal>
  /** The answer for a code, in the words of this gate: its realm, scopes and metadata. */
  refuse(code: AuthErrorCode, details?: RefusalDetails): Refusal
  /** Whether the token has all the scopes, directly or through the hierarchy. */
  covers(token: AccessToken, scopes: readonly string[]): boolean
  /** Lower-case names of the headers a credential is read from; handlers have no use for them. */
  readonly credentialHeaders: readonly string[]
  /** The clock it decides by. */
  readonly clock: Clock
}

const known = [
  'verifier',
  'realm',
  'requiredScopes',
  'scopeHierarchy',
  'apiKeyHeader',
  'resourceMetadata',
  'enforcesTools',
  'trustProxy',
  'logger',
  'clock',
] as const satisfies readonly (keyof BearerGateOptions)[]

/**
 * Makes a {@link BearerGate} (MCP authorization, "Token Requirements" and "Error Handling"; RFC 6750). It decides from
 * the head of the request alone, so nothing of a body is read for a caller who is refused. An outage behind the
 * verifier is answered with 503 and a broken verifier with 500: neither lets anybody in, nor calls a token bad.
 *
 * @throws TypeError naming the option that is unknown, missing or wrong
 *
 * @example
 * ```ts
 * import { bearerGate } from 'mcp-bearer'
 *
 * const keys = new Map([['sk-abc123', 'alice@example.com']])
 * const gate = bearerGate({
 *   verifier: {
 *     async verifyToken(token) {
 *       const email = keys.get(token)
 *       return email === undefined ? null : { token, claims: { email } }
 *     },
 *   },
 * })
 *
 * export default {
 *   async fetch(request: Request): Promise<Response> {
 *     const caller = await gate(request)
 *     if (caller instanceof Response) return caller
 *     return new Response(`Hello ${caller.claims['email']}`)
 *   },
 * }
 * ```
 */
export function bearerGate(options: BearerGateOptions): BearerGate {
  const { verifier, required, policy, read, refuse, log, clock, ...rest } = checkedOptions(options)
  const { credentialHeaders, enforcesTools, addressOf } = rest
  const tell = throttled(log, clock)
  const failed = faultAnswerer(refuse, tell)
  const hint = placeholderHints(credentialHeaders, tell)

  async function authenticate(
    head: RequestHead,
    attempts?: Attempts,
    isRecheck = false,
  ): Promise<AccessToken | Refusal> {
    const credential = read(head)
    if (credential.kind === 'ambiguous') return refuse('invalid_request')
    if (credential.kind !== 'token') {
      hint(head)
      if (credential.kind === 'none') return refuse('unauthorized')
      attempts?.failed()
      return refuse('invalid_token')
    }
    const wait = attempts?.blocked(credential.token)
    if (wait !== undefined) return refuse('rate_limited', { retryAfter: wait })
    const context = new HeadContext(head, credential.token, policy, addressOf, isRecheck)
    try {
      const verdict = await verifier.verifyToken(credential.token, context)
      const token = completeVerdict(verdict, clock)
      if (token === null) {
        hint(head)
        // A client whose token is over was good once, and is about to be again.
        const expired = Boolean(verdict) || context.isExpired
        if (!expired) attempts?.failed(credential.token)
        return refuse('invalid_token', expired ? { expired } : undefined)
      }
      attempts?.succeeded(credential.token)
      if (token.tools !== undefined && !enforcesTools) {
        tell(toolsNotEnforced)
        return refuse('access_denied')
      }
      return policy.covers(token.scopes, required) ? token : refuse('insufficient_scope')
    } catch (error) {
      return failed(error, credential.token)
    }
  }

  return Object.assign(
    async (request: Request) => {
      const answer = await authenticate(requestHead(request))
      return isRefusal(answer) ? refusalResponse(answer, request.method) : answer
    },
    {
      authenticate,
      refuse,
      covers: (token: AccessToken, scopes: readonly string[]) => policy.covers(token.scopes, scopes),
      credentialHeaders,
      clock,
    },
  )
}

const toolsNotEnforced: LogEntry = {
  level: 'warn',
  event: 'tools_not_enforced',
  message:
    'A token that is bound to tools was refused, because what it asks for may not look at them. Serve the tools with MCPServer; or, if your handler lets it use those in its tools alone, say enforcesTools: true; or issue it without tools.',
}

/** A gate as it is, or one made from options: what every adapter takes. */
export function gateOf(gate: BearerGate | BearerGateOptions): BearerGate {
  return typeof gate === 'function' ? gate : bearerGate(gate)
}

/** Runs what stands behind a gate, for the caller it let in. */
export function runBehind<T>(gate: BearerGate, token: AccessToken, fn: () => T): T {
  return runWithToken({ token, covers: gate.covers, clock: gate.clock }, fn)
}

/** Tells the answer of {@link BearerGate.authenticate} that refuses from the one that lets in. */
export function isRefusal(answer: AccessToken | Refusal): answer is Refusal {
  return !(answer instanceof AccessToken)
}

/** Tells the operator when a header holds what should have been replaced by a credential. */
function placeholderHints(names: readonly string[], tell: Logger): (head: RequestHead) => void {
  return (head) => {
    for (const name of names) {
      const value = head.header(name)[0]
      const cause = value === undefined ? undefined : placeholderCause(value)
      if (cause === undefined) continue
      const message = placeholderAdvice[cause]
      tell({ level: 'warn', event: 'placeholder_credential', message, details: { cause } })
    }
  }
}

function checkedOptions(options: BearerGateOptions) {
  checkOptions('bearerGate', options, known)
  const { verifier, realm = 'mcp', resourceMetadata, logger = stderrLogger, clock = systemClock } = options
  const { enforcesTools = false } = options
  if (typeof verifier?.verifyToken !== 'function') {
    throw new TypeError('bearerGate: verifier must have a method verifyToken')
  }
  if (typeof logger !== 'function') throw new TypeError('bearerGate: logger must be a function')
  if (typeof clock !== 'function') throw new TypeError('bearerGate: clock must be a function')
  if (typeof enforcesTools !== 'boolean')
    throw new TypeError('bearerGate: enforcesTools must be true or false')
  const required = Object.freeze([
    ...new Set([
      ...scopeList('requiredScopes', options.requiredScopes ?? []),
      ...scopeList('verifier.requiredScopes', verifier.requiredScopes ?? []),
    ]),
  ])
  const apiKeyHeader = apiKeyHeaderName(options.apiKeyHeader)
  return {
    verifier,
    required,
    policy: scopePolicy(options.scopeHierarchy),
    read: credentialReader(apiKeyHeader),
    refuse: refusalWriter({
      realm,
      scope: required,
      ...(resourceMetadata !== undefined && { resourceMetadata }),
    }),
    log: unfailing(logger),
    clock,
    enforcesTools,
    addressOf: clientAddress(options.trustProxy),
    credentialHeaders: Object.freeze([
      'authorization',
      ...(apiKeyHeader === undefined ? [] : [apiKeyHeader]),
    ]),
  }
}
