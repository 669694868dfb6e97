import { parseKey } from '../../apikeys/format.ts'
import { systemClock } from '../../core/index.ts'
import { placeholderAdvice, placeholderCause } from '../../core/placeholder.ts'
import type { JwsAlgorithm } from '../../verify/algorithms.ts'
import { readUnverified } from '../../verify/compact.ts'
import { explainToken, type JwtVerifierOptions, type TokenExplanation } from '../../verify/index.ts'
import { type JsonObject, own } from '../../verify/json.ts'
import { UsageError } from '../command.ts'
import { authExitCodes, exitCode } from '../exit-codes.ts'
import { scopesOf } from '../keys/words.ts'
import { localCommand } from '../local-command.ts'
import { tokenInput } from './credential-input.ts'
import { readPublicKey } from './public-key-file.ts'
import { claimLines, withoutCredentials } from './token-facts.ts'

/** All that have a public key. A server takes those it is told, RS256 otherwise. */
const publicAlgorithms: readonly JwsAlgorithm[] = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
]

/** Scripts can tell a bad token from an outage. */
const exits: Readonly<Record<TokenExplanation['verdict'], number>> = {
  accepted: exitCode.ok,
  refused: authExitCodes.invalid_token,
  insufficient_scope: authExitCodes.insufficient_scope,
  unavailable: authExitCodes.verifier_unavailable,
}

/** `mcp-bearer token verify`: what a server with these settings would make of a token. */
export const verify = localCommand({
  summary: 'ask whether a token is good, and if not, exactly why',
  usage: 'token verify WHERE (--public-key FILE | --jwks URL | --issuer URL) [options]',
  about: `Judges a JWT as a server with these settings would, and says which check refuses it, in words
for the operator: the caller of a server is never told. WHERE is env:NAME, file:PATH, or -
for standard input; the token is not printed.

  mcp-bearer token verify env:TOKEN --issuer https://id.example.com --audience my-server
  mcp-bearer token verify env:TOKEN --jwks http://127.0.0.1:9000/.well-known/jwks.json
  mcp-bearer token verify - --public-key key.pub.pem --scope notes:write < token.txt

Exit codes: 0 good, 11 not good, 12 a scope is missing, 21 the keys cannot be fetched,
2 the words make no sense.`,
  optionsHelp: `  --public-key FILE   the key that must have signed it: PEM, JWK or JWKS
  --jwks URL          where the keys of the issuer are
  --issuer URL        what iss must be; may be repeated. Without the two above, its keys are
                      found by its metadata (RFC 8414, OpenID Connect Discovery)
  --audience TEXT     what aud must hold; may be repeated, and one is enough
  --scope TEXT        what it must allow; may be repeated, or hold several
  --algorithm NAME    the algorithms to take; may be repeated. Otherwise all that have a public
                      key, and it is said when a server would have to be told
  --allow-private-network
                      fetch keys from private addresses, too`,
  options: {
    'public-key': { type: 'string' },
    jwks: { type: 'string' },
    issuer: { type: 'string', multiple: true },
    audience: { type: 'string', multiple: true },
    scope: { type: 'string', multiple: true },
    algorithm: { type: 'string', multiple: true },
    'allow-private-network': { type: 'boolean' },
  },
  words: [1, 1],
  async run({ values, words: [where = ''], terminal, signal }) {
    const { 'public-key': file, jwks, issuer, audience, scope, algorithm } = values
    if (file !== undefined && jwks !== undefined) {
      throw new UsageError('--public-key and --jwks are two places for the key; give one')
    }
    if (file === undefined && jwks === undefined && issuer === undefined) {
      throw new UsageError('whose key? Give --public-key FILE, --jwks URL, or --issuer URL to look it up')
    }
    const { token, hasScheme } = await tokenInput(where, terminal, signal)
    if (token === '') return notThere
    const header = readUnverified(token)?.header ?? {}
    const options: JwtVerifierOptions = {
      ...(file === undefined
        ? { jwksUri: jwks ?? 'discover' }
        : { publicKey: await readPublicKey(file, own(header, 'kid')) }),
      ...(issuer && { issuer }),
      ...(audience && { audience }),
      ...(scope && { requiredScopes: scopesOf(scope) }),
      algorithms: (algorithm as readonly JwsAlgorithm[] | undefined) ?? publicAlgorithms,
    }
    const allowPrivateNetwork = values['allow-private-network'] === true
    const told = await explainToken(token, options, { allowPrivateNetwork })
    const notes = notesOf(told, options, algorithm === undefined)
    return {
      json: json(told, notes),
      lines:
        told.verdict === 'accepted'
          ? [
              'Good.',
              '',
              ...claimLines(told.claims ?? {}, systemClock()),
              ...(notes.length > 0 ? ['', ...notes] : []),
            ]
          : refusalLines(told, kindHint(token)),
      notes: hasScheme ? [schemeNote] : [],
      exit: exits[told.verdict],
    }
  },
})

/** Worth a word where a token is written down. */
export const schemeNote =
  'mcp-bearer: "Bearer" stands before the token. In an Authorization header that is right; where a token alone is asked for, leave it out.'

const notThere = {
  json: { ok: false, verdict: 'refused', message: 'There is no token: it is empty.' },
  lines: ['There is no token: it is empty.'],
  exit: authExitCodes.unauthorized,
}

/** What was not asked, and what a server has to be told; a good token is good only as far as it was looked at. */
function notesOf({ header = {} }: TokenExplanation, options: JwtVerifierOptions, tookAll: boolean): string[] {
  const algorithm = String(own(header, 'alg'))
  return [
    ...(options.audience === undefined
      ? ['Not asked: whom it is for. --audience, or tokens for other services pass as well.']
      : []),
    ...(options.issuer === undefined ? ['Not asked: who made it. --issuer compares that.'] : []),
    ...(tookAll && algorithm !== 'RS256' && publicAlgorithms.some((name) => name === algorithm)
      ? [`It is signed with ${algorithm}: a server has to be told, it takes RS256 otherwise.`]
      : []),
  ]
}

function refusalLines(
  { verdict, message, remedy, refusal }: TokenExplanation,
  hint: string | undefined,
): string[] {
  const { reason, expected, found, hint: guess } = refusal ?? {}
  return [
    verdict === 'unavailable'
      ? `It cannot be told: ${message}`
      : `Not good (${reason ?? verdict}): ${message}`,
    ...(expected === undefined ? [] : [`  expected  ${expected}`]),
    ...(found === undefined ? [] : [`  found     ${found}`]),
    ...(guess === undefined ? [] : [`  ${guess}`]),
    ...(hint === undefined ? (remedy === undefined ? [] : [remedy]) : [hint]),
  ]
}

/** What is no JWT at all gets a better answer than what a JWT has. */
function kindHint(token: string): string | undefined {
  const cause = placeholderCause(token)
  if (cause !== undefined) return placeholderAdvice[cause]
  const key = parseKey(token)
  if (typeof key === 'object' || key === 'bad_checksum') {
    return 'This is an API key, not a JWT: mcp-bearer token explain reads it, mcp-bearer keys show looks it up.'
  }
  return undefined
}

function json(
  { verdict, message, remedy, refusal, header, claims }: TokenExplanation,
  notes: readonly string[],
): JsonObject {
  const { reason, expected, found, hint } = refusal ?? {}
  return withoutCredentials({
    ok: verdict === 'accepted',
    verdict,
    reason,
    message,
    remedy,
    expected,
    found,
    hint,
    header,
    claims,
    ...(verdict === 'accepted' && notes.length > 0 && { notes }),
  })
}
