import { AccessToken, type AccessTokenInit } from '../core/access-token.ts'
import { isBearerToken } from '../core/authorization.ts'
import { checkOptions } from '../core/options.ts'
import { nodeCrypto } from '../core/runtime.ts'
import type { CompleteTokenVerifier } from '../core/verifier.ts'
import { readEnvironment, type VerifierEnvironment } from './environment.ts'
import { type Decider, verifierFrom } from './inside.ts'
import { refusalReporter } from './report.ts'

/** What is known of one token of a {@link staticVerifier}. */
export type StaticToken = Pick<AccessTokenInit, 'claims' | 'scopes' | 'clientId' | 'subject' | 'expiresAt'>

/**
 * Knows a fixed list of tokens. For development and tests: the tokens stand in the source code, nobody can revoke one
 * without a new deployment. Says so once when it is made. Only digests are kept, and compared in constant time.
 *
 * @param tokens the tokens, each with what is known of it
 * @throws TypeError when there is no token, or one is empty or cannot be a bearer token (RFC 6750 section 2.1); the
 *   message counts tokens and never shows one
 *
 * @example
 * ```ts
 * import { staticVerifier } from 'mcp-bearer/verify'
 *
 * staticVerifier({ 'dev-token-alice': { subject: 'alice', scopes: ['read', 'write'] } })
 * ```
 */
export function staticVerifier(
  tokens: Readonly<Record<string, StaticToken>>,
  environment: VerifierEnvironment = {},
): CompleteTokenVerifier {
  const world = readEnvironment('staticVerifier', environment)
  const { clock, log, onEvent } = world
  const decider: Decider = {
    method: 'static',
    report: refusalReporter(world),
    sink: onEvent,
    isSilent: true,
  }
  const known = readTokens(tokens)
  log({
    level: 'warn',
    event: 'static_tokens',
    message: 'staticVerifier is for development and tests. Use API keys or a JWT issuer where it matters',
    details: { tokens: known.size },
  })
  return verifierFrom(
    {
      judge(token, call) {
        call.decider = decider
        const entry = find(known, token)
        if (entry === undefined) return 'unknown_token'
        const accepted = new AccessToken({ ...entry.facts, token })
        return accepted.isExpired(clock()) ? 'expired' : accepted
      },
    },
    { recognizes: (token) => find(known, token) !== undefined },
  )
}

interface Entry {
  readonly hash: string
  readonly facts: StaticToken
}

function readTokens(tokens: Readonly<Record<string, StaticToken>>): ReadonlyMap<string, Entry> {
  if (typeof tokens !== 'object' || tokens === null || Array.isArray(tokens)) {
    throw new TypeError('staticVerifier: tokens must be an object { token: { … } }')
  }
  const entries = Object.entries(tokens)
  if (entries.length === 0) throw new TypeError('staticVerifier: tokens holds no token, nobody could call')
  return new Map(entries.map(([token, facts], index) => readEntry(token, facts, index + 1)))
}

function readEntry(token: string, facts: StaticToken, number: number): [string, Entry] {
  const owner = `staticVerifier: token ${number}`
  // `[process.env.UNSET]: …` makes a token of the word.
  if (!isBearerToken(token) || token === 'undefined' || token === 'null') {
    throw new TypeError(`${owner} is empty, unset, or holds characters that a token cannot have`)
  }
  checkOptions(owner, facts, ['claims', 'scopes', 'clientId', 'subject', 'expiresAt'])
  // Made once to check the facts and to copy them.
  const { claims, scopes, clientId, subject, expiresAt } = new AccessToken({ ...facts, token })
  const hash = digest(token)
  return [hash, { hash, facts: { claims, scopes, clientId, subject, expiresAt } }]
}

function find(known: ReadonlyMap<string, Entry>, token: string): Entry | undefined {
  if (typeof token !== 'string' || !isBearerToken(token)) return undefined
  const hash = digest(token)
  const entry = known.get(hash)
  return entry !== undefined && sameDigest(entry.hash, hash) ? entry : undefined
}

function digest(token: string): string {
  if (nodeCrypto === undefined) throw new TypeError('staticVerifier needs a runtime with node:crypto')
  return nodeCrypto.hash('sha256', token, 'hex')
}

/** What was found by its digest is equal; compared all the same, in constant time, so that no change of the map can undo it. */
function sameDigest(one: string, other: string): boolean {
  const bytes = new TextEncoder()
  return nodeCrypto?.timingSafeEqual(bytes.encode(one), bytes.encode(other)) === true
}
