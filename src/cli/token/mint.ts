import { maxTokenLength, systemClock } from '../../core/index.ts'
import { claimRows } from '../../inspector/token/token-facts.ts'
import type { JsonObject } from '../../verify/json.ts'
import { UsageError } from '../command.ts'
import { durationOf } from '../keys/times.ts'
import { scopesOf } from '../keys/words.ts'
import { localCommand } from '../local-command.ts'
import { claimsOf } from './claims.ts'
import { algorithmOf, readKeyPair } from './key-file.ts'
import { rowLines } from './reading-lines.ts'

/** Whose tokens they are when nobody says so. */
const nobody = 'dev-user'

/** `mcp-bearer token mint`: a token alone on standard output. */
export const mint = localCommand({
  summary: 'sign a token with a key of your own',
  usage: 'token mint --key FILE [options]',
  about: `Signs a JWT and prints it, alone, so that a shell can take it; what is in it goes to standard
error.

  export TOKEN=$(mcp-bearer token mint --key key.pem --audience my-server --scope 'notes:read notes:write')
  mcp-bearer call http://127.0.0.1:8000/mcp whoami --auth env:TOKEN

For development and tests. A token works until it expires; without --audience it works at every
server that does not ask for one.`,
  optionsHelp: `  --key FILE          the private key in PEM: a path, env:NAME, or - for standard input
  --subject TEXT      sub: whom it speaks for; otherwise ${nobody}
  --issuer URL        iss: who made it. Several servers of one key tell issuers apart by it
  --audience TEXT     aud: whom it is for; may be repeated
  --scope TEXT        scope: what it allows; may be repeated, or hold several
  --expires-in TIME   exp: 1h, 30m, 90d; otherwise 1h. --expires-in=-1m for one that is over
  --claim NAME=TEXT   one more claim; NAME:=JSON for numbers, lists, objects. Wins over the others
  --kid TEXT          the kid header; otherwise the thumbprint of the key (RFC 7638)
  --algorithm NAME    for an RSA key: RS256 (otherwise), RS384, RS512, PS256, PS384, PS512`,
  options: {
    key: { type: 'string' },
    subject: { type: 'string' },
    issuer: { type: 'string' },
    audience: { type: 'string', multiple: true },
    scope: { type: 'string', multiple: true },
    'expires-in': { type: 'string' },
    claim: { type: 'string', multiple: true },
    kid: { type: 'string' },
    algorithm: { type: 'string' },
  },
  words: [0, 0],
  async run({ values, terminal, signal }) {
    const { key, subject = nobody, issuer, audience, scope, claim = [], kid } = values
    if (key === undefined) {
      throw new UsageError('which key? --key FILE; mcp-bearer token keygen makes one')
    }
    const options = {
      subject,
      ...(audience && { audience: audience.length === 1 ? String(audience[0]) : audience }),
      ...(scope && { scopes: scopesOf(scope) }),
      ...(values['expires-in'] !== undefined && { expiresInSeconds: secondsOf(values['expires-in']) }),
      ...(kid !== undefined && { kid }),
      // Without `--issuer` no issuer is claimed: a made-up one would be one that servers have to be told.
      additionalClaims: { iss: issuer, ...claimsOf(claim) },
    }
    const algorithm = values.algorithm === undefined ? undefined : algorithmOf(values.algorithm)
    const pair = await readKeyPair(key, algorithm, terminal, signal)
    const token = await pair.createToken(options)
    const [header, claims] = token.split('.').slice(0, 2).map(readPart) as [JsonObject, JsonObject]
    const [notes, warnings] = [rowLines(claimRows(claims, systemClock())), warningsOf(token, claims)]
    return {
      json: { token, header, claims, ...(warnings.length > 0 && { warnings }) },
      lines: [token],
      notes: values.json === true ? [] : [`Signed with ${pair.algorithm}:`, ...notes, ...warnings],
    }
  },
})

/** Of a token that was made here, however long it is. */
function readPart(part: string): JsonObject {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as JsonObject
}

/** `-1m` is a minute ago: for a token that has expired. */
function secondsOf(text: string): number {
  return text.startsWith('-') ? -durationOf(text.slice(1), '--expires-in') : durationOf(text, '--expires-in')
}

function warningsOf(token: string, claims: JsonObject): string[] {
  return [
    ...(token.length > maxTokenLength
      ? [`It is longer than the ${maxTokenLength} characters servers take.`]
      : []),
    ...(claims.iss === undefined ? ['Without --issuer, servers that check the issuer refuse it.'] : []),
    ...(claims.aud === undefined ? ['Without --audience, servers that check the audience refuse it.'] : []),
  ]
}
