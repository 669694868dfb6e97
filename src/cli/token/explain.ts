import { systemClock } from '../../core/index.ts'
import { placeholderAdvice } from '../../core/placeholder.ts'
import { type JsonObject, own } from '../../verify/json.ts'
import { authExitCodes, exitCode } from '../exit-codes.ts'
import { distance } from '../keys/times.ts'
import { localCommand } from '../local-command.ts'
import { tokenInput } from './credential-input.ts'
import { jwtWarnings } from './jwt-warnings.ts'
import { claimLines, dateOfSeconds, valueText, withoutCredentials } from './token-facts.ts'
import { type TokenKind, tokenKind } from './token-kind.ts'
import { schemeNote } from './verify.ts'

/** `mcp-bearer token explain`: what a text says of itself. */
export const explain = localCommand({
  summary: 'say what a token is and what is in it, without verifying it',
  usage: 'token explain WHERE',
  about: `Says what a text is - a JWT, an API key of this package or of another service, an opaque token,
a placeholder somebody forgot to replace - and what is in it. Nothing is verified, nothing is
sent anywhere, and the token is not printed. WHERE is env:NAME, file:PATH, or - for standard
input.

  mcp-bearer token explain env:TOKEN
  pbpaste | mcp-bearer token explain -`,
  optionsHelp: '',
  options: {},
  words: [1, 1],
  async run({ words: [where = ''], terminal, signal }) {
    const { token, hasScheme } = await tokenInput(where, terminal, signal)
    const told = tokenKind(token)
    const now = systemClock()
    return {
      json: withoutCredentials({
        verified: false,
        ...told,
        ...jwtFacts(told, now),
        characters: token.length,
      }),
      lines: explanation(told, token.length, now),
      notes: hasScheme ? [schemeNote] : [],
      exit: told.kind === 'empty' ? authExitCodes.unauthorized : exitCode.ok,
    }
  },
})

/** The same for people. */
function explanation(told: TokenKind, length: number, now: number): string[] {
  switch (told.kind) {
    case 'empty':
      return ['There is no token: it is empty.']
    case 'placeholder':
      return ['Not a token: it is text that stands for one.', placeholderAdvice[told.cause]]
    case 'api_key':
      return apiKeyLines(told)
    case 'jwt':
      return jwtLines(told, now)
    case 'encrypted_jwt':
      return [
        'An encrypted JWT (RFC 7516): only who has the key can read it. Servers of this package take signed ones.',
        ...headerLines(told.header),
      ]
    case 'broken_jwt':
      return [`It begins like a JWT and is none: ${told.flaw}.`]
    case 'foreign_key':
      return [
        `It begins like a key of another service: ${told.service}.`,
        'An MCP server takes it only if it was told to; a server that does not know it must not be sent it.',
      ]
    case 'opaque':
      return [
        `An opaque token of ${length} characters: no JWT, and no API key of this package's format.`,
        'Only who made it can say what it is: an authorization server by introspection (RFC 7662), a key store by look-up.',
        ...told.flaws,
      ]
  }
}

function apiKeyLines({ prefix, environment, id, checksum }: TokenKind & { kind: 'api_key' }): string[] {
  return [
    `An API key of this package's format, ${environment === 'test' ? 'for tests' : 'for live use'}.`,
    `  prefix    ${prefix}`,
    `  id        ${id}`,
    `  checksum  ${checksum}`,
    '',
    checksum === 'good'
      ? `Not verified: whether it exists, and is good, is known to the database. mcp-bearer keys show ${id}`
      : 'The checksum does not fit: it was mistyped, cut, or made up. No server takes it.',
  ]
}

function jwtLines({ header, claims, isSigned }: TokenKind & { kind: 'jwt' }, now: number): string[] {
  const warnings = jwtWarnings(header, claims, now)
  return [
    `A JWT${isSigned ? '' : ' without a signature'}. NOT VERIFIED: anybody could have written this. mcp-bearer token verify checks it.`,
    ...headerLines(header),
    '',
    'claims',
    ...claimLines(claims, now),
    ...(warnings.length > 0 ? ['', 'warnings', ...warnings.map((warning) => `  ${warning}`)] : []),
  ]
}

function headerLines(header: JsonObject): string[] {
  const names = Object.keys(header)
  const width = Math.max(...names.map((name) => valueText(name).length), 0)
  return [
    '',
    'header',
    ...names.map((name) => `  ${valueText(name).padEnd(width)}  ${valueText(own(header, name))}`),
  ]
}

/** For a program: moments as text and as seconds from now, and the warnings. */
function jwtFacts(told: TokenKind, now: number): JsonObject {
  if (told.kind !== 'jwt') return {}
  const times = ['exp', 'nbf', 'iat'].flatMap((name) => {
    const date = dateOfSeconds(own(told.claims, name))
    if (date === undefined) return []
    const secondsFromNow = Math.round((date.getTime() - now) / 1000)
    return [[name, { at: date.toISOString(), secondsFromNow, distance: distance(date, now) }]]
  })
  return { times: Object.fromEntries(times), warnings: jwtWarnings(told.header, told.claims, now) }
}
