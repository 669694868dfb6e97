import { placeholderAdvice } from '../../core/placeholder.ts'
import { type JsonObject, own } from '../../verify/json.ts'
import { jwtWarnings } from './jwt-warnings.ts'
import { distance } from './times.ts'
import { type ClaimLine, claimRows, dateOfSeconds, headerRows, scopesIn, shownText } from './token-facts.ts'
import { type ApiKeyKind, type TokenKind, tokenKind } from './token-kind.ts'

/**
 * What a text says of itself when it is read as a token. Nothing of it is verified. Neither the token nor anything
 * secret within it is in here: it can be shown, and kept.
 */
export interface TokenReading {
  readonly kind: TokenKind['kind']
  /** What it is, in one or two sentences. */
  readonly headline: string
  readonly characters: number
  /** The header of a JWT. */
  readonly header?: readonly ClaimLine[]
  /** The claims of a JWT: first who, for whom and until when, then the rest. */
  readonly claims?: readonly ClaimLine[]
  /** What a JWT allows; empty when it allows nothing, absent when it does not say. */
  readonly scopes?: readonly string[]
  /** The moments of a JWT that are moments. */
  readonly times?: TokenTimes
  /** The public parts of an API key. */
  readonly key?: Omit<ApiKeyKind, 'kind'>
  /** Whose key it is, when it is one of another service. */
  readonly service?: string
  /** What to know of it, or to do about it, a sentence each. */
  readonly advice: readonly string[]
  /** What a server would likely say of it, and what else is worth a look, a sentence each. */
  readonly warnings: readonly string[]
}

/** A moment, and how far away it is: `in 59 min`. */
export interface TokenTime {
  readonly date: Date
  readonly words: string
}

/** RFC 7519 sections 4.1.4 to 4.1.6. */
export interface TokenTimes {
  readonly exp?: TokenTime
  readonly nbf?: TokenTime
  readonly iat?: TokenTime
}

/**
 * Reads a token without trusting it. Never throws.
 *
 * @param text the token alone, as `cleanToken` leaves it
 * @param now milliseconds since 1970
 */
export function readToken(text: string, now: number): TokenReading {
  const told = tokenKind(text)
  return {
    kind: told.kind,
    characters: text.length,
    advice: [],
    warnings: [],
    ...readingOf(told, text, now),
  }
}

/** Characters. What is shorter says nothing, and would be found in many words. */
const shortestSecret = 8

/** The signature of a JWT, in case that somebody wrote it into a claim, and all but the header of an encrypted one. Other tokens are not shown at all. */
export function secretsIn(text: string, { kind }: TokenKind): readonly string[] {
  if (kind !== 'jwt' && kind !== 'encrypted_jwt') return []
  return text
    .split('.')
    .slice(kind === 'jwt' ? 2 : 1)
    .filter((part) => part.length >= shortestSecret)
}

type Read = Omit<TokenReading, 'kind' | 'characters' | 'advice' | 'warnings'> & Partial<TokenReading>

function readingOf(told: TokenKind, text: string, now: number): Read {
  switch (told.kind) {
    case 'empty':
      return { headline: 'There is no token: it is empty.' }
    case 'placeholder':
      return {
        headline: 'Not a token: it is text that stands for one.',
        advice: [placeholderAdvice[told.cause]],
      }
    case 'api_key':
      return readingOfKey(told)
    case 'jwt':
      return readingOfJwt(told, now, secretsIn(text, told))
    case 'encrypted_jwt':
      return {
        headline:
          'An encrypted JWT (RFC 7516): only who has the key can read it. Servers of this package take signed ones.',
        header: headerRows(told.header, secretsIn(text, told)),
      }
    case 'broken_jwt':
      return { headline: `It begins like a JWT and is none: ${told.flaw}.` }
    case 'foreign_key':
      return {
        headline: `It begins like a key of another service: ${told.service}.`,
        service: told.service,
        advice: [
          'An MCP server takes it only if it was told to; a server that does not know it must not be sent it.',
        ],
      }
    case 'opaque':
      return {
        headline: `An opaque token of ${text.length} characters: no JWT, and no API key of this package's format.`,
        advice: [
          'Only who made it can say what it is: an authorization server by introspection (RFC 7662), a key store by look-up.',
        ],
        warnings: told.flaws,
      }
  }
}

function readingOfKey({ prefix, environment, id, checksum }: ApiKeyKind): Read {
  return {
    headline: `An API key of this package's format, ${environment === 'test' ? 'for tests' : 'for live use'}.`,
    key: { prefix, environment, id, checksum },
    ...(checksum === 'good'
      ? {
          advice: [
            `Not verified: whether it exists, and is good, is known to the database. mcp-bearer keys show ${id}`,
          ],
        }
      : { warnings: ['The checksum does not fit: it was mistyped, cut, or made up. No server takes it.'] }),
  }
}

function readingOfJwt(
  { header, claims, isSigned }: TokenKind & { kind: 'jwt' },
  now: number,
  secrets: readonly string[],
): Read {
  const scopes = scopesIn(claims)
  return {
    headline: `A JWT${isSigned ? '' : ' without a signature'}.`,
    advice: ['Not verified: anybody could have written this.'],
    header: headerRows(header, secrets),
    claims: claimRows(claims, now, secrets),
    ...(scopes && { scopes: scopes.map((scope) => shownText(scope, secrets)) }),
    times: timesIn(claims, now),
    warnings: jwtWarnings(header, claims, now),
  }
}

function timesIn(claims: JsonObject, now: number): TokenTimes {
  const named = (['exp', 'nbf', 'iat'] as const).flatMap((name) => {
    const date = dateOfSeconds(own(claims, name))
    return date === undefined ? [] : [[name, { date, words: distance(date, now) }] as const]
  })
  return Object.fromEntries(named)
}
