import { parseKey } from '../../apikeys/format.ts'
import { maxTokenLength } from '../../core/authorization.ts'
import { type PlaceholderCause, placeholderCause } from '../../core/placeholder.ts'
import { readUnverified } from '../../verify/compact.ts'
import type { JsonObject } from '../../verify/json.ts'
import { parsePart } from '../../verify/part.ts'

/** What a text is, by its form alone. Nothing of it is verified. */
export type TokenKind =
  | { readonly kind: 'empty' }
  | { readonly kind: 'placeholder'; readonly cause: PlaceholderCause }
  | ApiKeyKind
  | {
      readonly kind: 'jwt'
      readonly header: JsonObject
      readonly claims: JsonObject
      readonly isSigned: boolean
    }
  | { readonly kind: 'encrypted_jwt'; readonly header: JsonObject }
  | { readonly kind: 'broken_jwt'; readonly flaw: string }
  | { readonly kind: 'foreign_key'; readonly service: string }
  | { readonly kind: 'opaque'; readonly flaws: readonly string[] }

/** A key in the format of this package. */
export interface ApiKeyKind {
  readonly kind: 'api_key'
  readonly prefix: string
  readonly environment: string
  readonly id: string
  readonly checksum: 'good' | 'bad'
}

/** Finds out what a text is. Never throws. */
export function tokenKind(text: string): TokenKind {
  if (text === '') return { kind: 'empty' }
  const key = apiKeyIn(text)
  if (key) return key
  const cause = placeholderCause(text)
  if (cause !== undefined) return { kind: 'placeholder', cause }
  const service = services.find(([pattern]) => pattern.test(text))?.[1]
  if (service !== undefined) return { kind: 'foreign_key', service }
  return jwtIn(text) ?? { kind: 'opaque', flaws: flawsOf(text) }
}

/** Prefix and id are its public parts: `<prefix>_<live|test>_<id>_<secret><checksum>`. */
function apiKeyIn(text: string): ApiKeyKind | undefined {
  const parsed = parseKey(text)
  if (parsed === 'too_long' || parsed === 'malformed') return undefined
  const [prefix = '', environment = '', id = ''] = text.split('_')
  return { kind: 'api_key', prefix, environment, id, checksum: parsed === 'bad_checksum' ? 'bad' : 'good' }
}

/** How keys and tokens of services begin that people paste into the wrong place. */
const services: readonly (readonly [RegExp, string])[] = [
  [/^(?:gh[opsur]_|github_pat_)/, 'GitHub'],
  [/^glpat-/, 'GitLab'],
  [/^xox[abeprs]-/, 'Slack'],
  [/^sk-ant-/, 'Anthropic'],
  [/^(?:sk|pk|rk)_(?:live|test)_/, 'Stripe'],
  [/^sk-/, 'OpenAI, or another service that writes its keys sk-…'],
  [/^AKIA[0-9A-Z]{16}$/, 'AWS'],
  [/^ya29\./, 'Google'],
  [/^npm_/, 'npm'],
]

/** What begins like a JWT (RFC 7519 section 3), or is one. */
function jwtIn(text: string): TokenKind | undefined {
  const read = readUnverified(text)
  if (read) return { kind: 'jwt', ...read, isSigned: true }
  const first = text.indexOf('.')
  const header = objectIn(first === -1 ? text : text.slice(0, first))
  if (header === undefined) {
    return text.startsWith('eyJ') && /^[\w.-]*$/.test(text)
      ? { kind: 'broken_jwt', flaw: 'its header cannot be read: it was altered, or a part of it is missing' }
      : undefined
  }
  if (text.length > maxTokenLength) {
    return { kind: 'broken_jwt', flaw: `it has ${text.length} characters; servers take ${maxTokenLength}` }
  }
  const parts = text.split('.')
  // RFC 7516 section 3.1.
  if (parts.length === 5) return { kind: 'encrypted_jwt', header }
  if (parts.length !== 3) {
    return {
      kind: 'broken_jwt',
      flaw: `it has ${parts.length} of the three parts: it was cut, or copied in part`,
    }
  }
  return unreadable(parts, header)
}

function unreadable([, payload = '', signature = '']: readonly string[], header: JsonObject): TokenKind {
  const claims = objectIn(payload)
  if (claims === undefined) {
    return {
      kind: 'broken_jwt',
      flaw: 'its second part is no JSON object: it was altered, or is not for reading',
    }
  }
  // RFC 7519 section 6: an unsecured JWT.
  if (signature === '') return { kind: 'jwt', header, claims, isSigned: false }
  return { kind: 'broken_jwt', flaw: 'its signature is not base64url' }
}

/** The JSON object of a part. Looked at first: what browsers decode base64 with throws for other characters. */
function objectIn(part: string): JsonObject | undefined {
  return part.length <= maxTokenLength && /^[\w-]+$/.test(part) ? parsePart(part) : undefined
}

/** What keeps a text from being sent as a bearer token (RFC 6750 section 2.1), whatever it is. */
function flawsOf(text: string): string[] {
  return [
    ...(/\s/.test(text) ? ['It has blanks or line breaks in it.'] : []),
    ...(/["'`]/.test(text) ? ['It has quotes in it.'] : []),
    ...(text.length > maxTokenLength
      ? [`It has more than the ${maxTokenLength} characters that servers take.`]
      : []),
    ...(/^[\w.~+/=\s"'`-]*$/.test(text)
      ? []
      : ['It has characters that no bearer token has (RFC 6750 section 2.1).']),
  ]
}
