import type { Clock } from '../core/index.ts'
import { type AccessToken, AuthError, isScopeToken, scopeList } from '../core/index.ts'
import { numberBetween } from '../core/options.ts'
import { rateLimiter } from '../core/rate-limit.ts'
import {
  type AccessRule,
  type Asked,
  type Caller,
  type ComponentKind,
  type Turns,
  turnKey,
} from './component.ts'
import { isRefusal } from './failure.ts'

/** What a rule is told. */
export interface AuthorizeRequest extends Asked {
  /** Who asks; `undefined` when nobody is known. */
  readonly auth: AccessToken | undefined
  readonly kind: ComponentKind
  /** The name of the tool or prompt, the URI or template of the resource. */
  readonly name: string
}

/**
 * What a rule answers: `true` when the caller may, `false` when nothing would help, or the scopes that would.
 */
export type AuthorizeAnswer = boolean | readonly string[]

/**
 * A rule of the author, asked when a component is used and when it would be listed (then without `arguments` and `uri`).
 * What it throws is an error of the server: the request is answered with 500, unless `requireAuth` or `requireScopes`
 * threw it.
 */
export type Authorize = (request: AuthorizeRequest) => AuthorizeAnswer | Promise<AuthorizeAnswer>

/** Who may use a component, and how often. */
export interface Access {
  readonly scopes: readonly string[]
  readonly rule: AccessRule | undefined
  readonly turns: Turns | undefined
}

/** The options of a component that say who may use it. */
export interface AccessMembers {
  readonly scopes?: readonly string[]
  readonly authorize?: Authorize
  readonly rateLimit?: number
}

/**
 * Checks who may use a component.
 * @throws TypeError naming the option that is wrong
 */
export function accessOf(
  owner: string,
  kind: ComponentKind,
  name: string,
  { scopes = [], authorize, rateLimit }: AccessMembers,
  clock: Clock,
): Access {
  if (authorize !== undefined && typeof authorize !== 'function')
    throw new TypeError(`${owner}: authorize must be a function`)
  const checked = scopeList(`${owner}: scopes`, scopes)
  return {
    scopes: checked,
    rule: authorize && ruleOf(owner, kind, name, checked, authorize),
    turns: rateLimit === undefined ? undefined : turnsOf(owner, rateLimit, clock),
  }
}

function turnsOf(owner: string, rateLimit: number, clock: Clock): Turns {
  const perMinute = numberBetween(`${owner}: rateLimit`, rateLimit, 1, 1_000_000)
  const limiter = rateLimiter({ perMinute, clock })
  return (caller) => limiter.take(turnKey(caller))
}

function ruleOf(
  owner: string,
  kind: ComponentKind,
  name: string,
  scopes: readonly string[],
  authorize: Authorize,
): AccessRule {
  return async (caller: Caller, asked: Asked) => {
    const answer: unknown = await asking(authorize, { ...asked, auth: caller.auth, kind, name })
    if (answer === true) return
    if (answer === false) throw new AuthError(caller.auth ? 'access_denied' : 'unauthorized')
    if (!isScopeList(answer))
      throw fault(new TypeError(`${owner}: authorize must answer true, false or a list of scopes`))
    if (answer.length > 0 && caller.covers(answer)) return
    // An empty list says that no scope would help.
    const code = answer.length === 0 ? 'access_denied' : 'insufficient_scope'
    const needed = [...new Set([...scopes, ...answer])]
    throw new AuthError(caller.auth ? code : 'unauthorized', undefined, { scopes: needed })
  }
}

/** An error of some other server, which a rule asked, says nothing of our caller. */
async function asking(authorize: Authorize, request: AuthorizeRequest): Promise<unknown> {
  try {
    return await authorize(request)
  } catch (error) {
    throw isRefusal(error) ? error : fault(error)
  }
}

function fault(cause: unknown): AuthError {
  return new AuthError('server_error', undefined, { cause })
}

function isScopeList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((scope) => typeof scope === 'string' && isScopeToken(scope))
}
